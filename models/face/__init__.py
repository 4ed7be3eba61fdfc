"""What a face expresses."""
