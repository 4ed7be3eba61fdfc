"""`affetti models train`: a model made anew, in a checkout."""

from pathlib import Path

import click

from affetti.core.paths import TypedPath
from affetti.models.commands.arguments import ALSO, DATA, VOICES
from affetti.models.commands.extras import training_extra
from affetti.models.commands.output import shown_progress


@click.group()
def train() -> None:
    """Train a model (needs a checkout of Affetti and the extra `affetti[train]`)."""


@train.command("face")
@DATA
@click.option("--recipe", default="paper", show_default=True, help="How to train.")
@click.option(
    "--output", type=TypedPath(path_type=Path), required=True, metavar="DIR",
    help="Where the model goes.",
)  # fmt: skip
def train_face(data: Path, recipe: str, output: Path) -> None:
    """Train a face model on FER2013, or on several sources, and write it as ONNX."""
    with training_extra(), shown_progress() as progress:
        from affetti.models.training.face import heads_training, training

        output.mkdir(parents=True, exist_ok=True)
        file = output / "face_expression.onnx"
        several = recipe in heads_training.RECIPES
        run = heads_training.train_heads if several else training.train_face
        run(data, recipe, file, progress)
    click.echo(str(file))


@train.command("music")
@DATA
@ALSO
@VOICES
@click.option("--recipe", default="paper", show_default=True, help="How to train.")
@click.option(
    "--output", type=TypedPath(path_type=Path), required=True, metavar="DIR",
    help="Where the model goes.",
)  # fmt: skip
def train_music(
    data: Path, also: tuple[Path, ...], voices: Path | None, recipe: str, output: Path
) -> None:
    """Train a music model on folders of labelled clips and write it as ONNX."""
    with training_extra(), shown_progress() as progress:
        from affetti.models.evaluation.sound.accuracy import Further
        from affetti.models.training.sound import music

        figures = music.train_music(data, recipe, output, progress, Further(also, voices))
    click.echo(figures.read_text(encoding="utf-8"))
