"""What lies beside a recording, and whose it is."""
