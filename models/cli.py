"""`affetti models`: what the models are, whether they are intact, how good they are."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from affetti.core.errors import AffettiError, MissingPackage, ModelError

DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder (or archive) of labelled data.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
TRAINING_PACKAGES = {"PIL", "onnx", "skl2onnx", "torch"}


@click.group()
def models() -> None:
    """Look after the models that say what a face or a stretch of music expresses."""


@models.command("list")
@JSON
def list_models(as_json: bool) -> None:
    """List the models of this version."""
    from affetti.models.manifest import manifest

    entries = manifest()
    if as_json:
        _print_json(
            {
                name: {
                    "file": entry.file,
                    "task": entry.task,
                    "summary": entry.summary,
                    "sha256": entry.sha256,
                    "size_bytes": entry.size_bytes,
                    "licence": entry.licence,
                    "card": entry.card,
                }
                for name, entry in entries.items()
            }
        )
        return
    for name, entry in entries.items():
        click.secho(name, bold=True, nl=False)
        click.echo(f"  {entry.task}, {entry.size_bytes / 1e6:.1f} MB")
        click.echo(f"    {entry.summary}")
        click.echo(f"    licence: {entry.licence}; card: {entry.card}")


@models.command()
def verify() -> None:
    """Check that every model file is the one this version came with (SHA-256)."""
    from affetti.models.manifest import manifest, verified_bytes

    broken = []
    for name in manifest():
        try:
            verified_bytes(name)
            click.echo(f"{name}: as it should be")
        except AffettiError as error:
            broken.append(name)
            click.echo(f"{name}: {error.message}")
    if broken:
        raise ModelError(f"Not as they should be: {', '.join(broken)}.", "Install Affetti again.")


@models.group()
def evaluate() -> None:
    """Score a model on labelled data."""


@evaluate.command("face")
@DATA
@click.option("--model", default="face_expression", show_default=True, help="Name of the model.")
@JSON
def evaluate_face(data: Path, model: str, as_json: bool) -> None:
    """Score a face model on FER2013's private test set, or on a folder of faces."""
    with _training_extra(), _progress() as progress:
        import msgspec

        from affetti.models.training.face import evaluation as face_evaluation

        result = face_evaluation.evaluate_face(data, model, progress)
    found = msgspec.to_builtins(result)
    if as_json:
        _print_json(found)
    else:
        _print_figures(found)


@evaluate.command("music")
@DATA
@click.option("--model", default="music_emotion", show_default=True, help="Name of the model.")
@click.option(
    "--cv",
    type=click.Choice(["artist"]),
    help="Train the model's recipe again in folds by artist, and score what it has not heard.",
)
@click.option("--no-train", is_flag=True, help="Score every clip with the model as it is shipped.")
@JSON
def evaluate_music(data: Path, model: str, cv: str | None, no_train: bool, as_json: bool) -> None:
    """Score a music model on a folder with labels.csv (columns file, label, optional group).

    The folder that the model was trained on is scored by what it did not hear: the artists that
    were held out, or, where none were, cross-validation.
    """
    if cv and no_train:
        raise click.UsageError("--cv trains, --no-train does not: choose one.")
    with _training_extra(), _progress() as progress:
        from affetti.models.training.sound import evaluation as music_evaluation

        if cv:
            result = music_evaluation.cross_validate(data, progress, model)
        else:
            result = music_evaluation.evaluate_music(data, progress, model, everything=no_train)
    if as_json:
        _print_json(result.as_json())
    else:
        click.echo(result.as_text())


@models.group()
def train() -> None:
    """Train a model (needs the extra `affetti[train]`)."""


@train.command("face")
@DATA
@click.option("--recipe", default="paper", show_default=True, help="How to train.")
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, metavar="DIR",
    help="Where the model goes.",
)  # fmt: skip
def train_face(data: Path, recipe: str, output: Path) -> None:
    """Train a face model on FER2013 and write it as ONNX."""
    with _training_extra(), _progress() as progress:
        from affetti.models.training.face import training as face_training

        output.mkdir(parents=True, exist_ok=True)
        file = output / "face_expression.onnx"
        face_training.train_face(data, recipe, file, progress)
    click.echo(str(file))


@train.command("music")
@DATA
@click.option("--recipe", default="paper", show_default=True, help="How to train.")
@click.option(
    "--output", type=click.Path(path_type=Path), required=True, metavar="DIR",
    help="Where the model goes.",
)  # fmt: skip
def train_music(data: Path, recipe: str, output: Path) -> None:
    """Train a music model on a folder of labelled clips and write it as ONNX."""
    with _training_extra(), _progress() as progress:
        from affetti.models.training.sound import music

        figures = music.train_music(data, recipe, output, progress)
    click.echo(figures.read_text(encoding="utf-8"))


def _print_json(found: dict[str, Any]) -> None:
    click.echo(json.dumps(found, indent=2))


def _print_figures(found: dict[str, Any], indent: str = "") -> None:
    for name, value in found.items():
        if isinstance(value, dict):
            click.echo(f"{indent}{name}:")
            _print_figures(value, indent + "  ")
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            click.echo(f"{indent}{name}: {shown}")


@contextmanager
def _training_extra() -> Iterator[None]:
    """Turn the lack of a package that only training needs into a message."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in TRAINING_PACKAGES:
            raise
        raise MissingPackage(
            f"The package {package} is not installed.",
            "Run: pip install 'affetti[train]'",
        ) from error


class _Progress:
    """A progress bar on standard error for each step that is reported."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._total = -1

    def __call__(self, done: int, total: int, what: str) -> None:
        if self._bar is None or total != self._total or done < self._bar.pos:
            self.close()
            self._bar = click.progressbar(range(total), file=sys.stderr)
            self._total = total
        self._bar.label = what
        self._bar.update(done - self._bar.pos)

    def close(self) -> None:
        """Leave the last bar as it is and go to the next line."""
        if self._bar is not None:
            self._bar.render_finish()


@contextmanager
def _progress() -> Iterator[_Progress]:
    progress = _Progress()
    try:
        yield progress
    finally:
        progress.close()
