"""`python -m core`: the `affetti` command where no script was installed."""

from core.cli import main

main()
