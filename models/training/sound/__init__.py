"""How the models that hear music were trained."""
