"""`affetti models verify`: whether the models are those of this version."""

import click

from affetti.core.errors import AffettiError, ModelError


@click.command()
def verify() -> None:
    """Check that every model file is the one this version came with (SHA-256)."""
    from affetti.core.language import text
    from affetti.models.manifest import manifest, verified_bytes

    broken = []
    for name in manifest():
        try:
            verified_bytes(name)
            click.echo(text("models.whole", name=name))
        except AffettiError as error:
            broken.append(name)
            click.echo(text("models.broken", name=name, message=error.message))
    if broken:
        raise ModelError("verify.not_they_should", broken=", ".join(broken))
