"""How the manual is built; by `make docs`, which makes pictures and reference first."""

from importlib.metadata import version as version_of

project = "Affetti"
copyright = "the developers of Affetti"
version = release = version_of("affetti")
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"Affetti {version}"
myst_heading_anchors = 3
# What lies outside the manual is linked for readers of the repository.
suppress_warnings = ["myst.header", "myst.xref_missing"]
exclude_patterns = ["conf.py"]
