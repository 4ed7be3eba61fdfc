"""`python -m affetti`: the `affetti` command where no script was installed."""

from affetti.core.cli import main

main()
