"""How the networks that read a face were trained."""
