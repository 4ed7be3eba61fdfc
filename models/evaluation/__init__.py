"""How good the models are on labelled data: all that `affetti models evaluate` needs."""
