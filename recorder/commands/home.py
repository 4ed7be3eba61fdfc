"""`affetti home`: people, their recordings, and what can be done with them."""

import click


@click.command()
def home() -> None:
    """Open the screen where people and recordings are; `affetti` alone does it as well.

    People stand there by their codes with their last session, and all sessions, the newest
    first; typing filters them. From there a recording is set up, recordings that broke off are
    sealed, and old ones are looked at, reported or removed.

    \b
    affetti home
    """
    from affetti.core import settings
    from affetti.recorder.tui.session import open_home

    open_home(settings.load())
