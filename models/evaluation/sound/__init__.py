"""Labelled clips, and how well a model of the zoo, or its recipe trained again, names them."""
