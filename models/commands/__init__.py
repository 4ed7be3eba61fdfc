"""`affetti models`: what the models are, whether they are intact, how good they are."""

import click

from affetti.models.commands.evaluate import evaluate
from affetti.models.commands.group import OpenGroup
from affetti.models.commands.list import list_models
from affetti.models.commands.train import train
from affetti.models.commands.verify import verify

__all__ = ["models"]


@click.group(cls=OpenGroup)
def models() -> None:
    """Look after the models that say what a face or a stretch of music expresses."""


for command in (list_models, verify, evaluate, train):
    models.add_command(command)
