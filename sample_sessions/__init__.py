"""The bundled recording, and how it was made."""
