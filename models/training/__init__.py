"""How the models in the zoo were made and measured; needs the extra `affetti[train]`."""
