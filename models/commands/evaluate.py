"""`affetti models evaluate`: how good a model is on labelled data."""

from pathlib import Path

import click

from affetti.core import terminal
from affetti.core.language import text
from affetti.core.numbers import FACES, Number
from affetti.core.paths import TypedPath
from affetti.models.commands.arguments import ALSO, DATA, JSON, VOICES
from affetti.models.commands.extras import training_extra
from affetti.models.commands.output import print_figures, shown_progress


@click.group()
def evaluate() -> None:
    """Score a model on labelled data."""


@evaluate.command("face")
@DATA
@click.option("--model", default="face_expression", show_default=True, help="Name of the model.")
@click.option(
    "--person",
    "persons",
    is_flag=True,
    help="Read each face against its person's own neutral ones, too, never the tested one.",
)
@JSON
def evaluate_face(data: Path, model: str, persons: bool, as_json: bool) -> None:
    """Score a face model on FER2013's private test set, or on labelled faces of your own.

    DATA is fer2013.zip; or a folder with a subfolder for each expression, by any of its common
    names (anger, happiness, ...; contempt is none of the seven: left out, and counted); or an .npz
    with images and labels. With --person: a folder of such folders, one a person, or an .npz with
    subjects.
    """
    with training_extra(), shown_progress() as progress:
        import msgspec

        from affetti.models.evaluation.face import accuracy

        result = accuracy.evaluate_face(data, model, progress, persons=persons)
    found = msgspec.to_builtins(result)
    if as_json:
        terminal.print_json(found)
    else:
        print_figures(found)


@evaluate.command("music")
@DATA
@ALSO
@VOICES
@click.option("--model", default="music_emotion", show_default=True, help="Name of the model.")
@click.option(
    "--cv",
    type=click.Choice(["artist"]),
    help="Train the model's recipe again in folds by artist, and score what it has not heard.",
)
@click.option(
    "--left-out",
    is_flag=True,
    help="Score each folder by training on all the others, those of --also among them.",
)
@click.option("--no-train", is_flag=True, help="Score every clip with the model as it is shipped.")
@JSON
def evaluate_music(
    data: Path,
    also: tuple[Path, ...],
    voices: Path | None,
    model: str,
    cv: str | None,
    left_out: bool,
    no_train: bool,
    as_json: bool,
) -> None:
    """Score a music model on a folder with labels.csv (columns file, label, optional group).

    The folder that the model was trained on is scored by what it did not hear: the artists that
    were held out, or, where none were, cross-validation.
    """
    if cv and no_train:
        raise click.UsageError(text("models.cv_or_no_train"))
    if left_out and not also:
        raise click.UsageError(text("models.left_out_of_what"))
    with training_extra(), shown_progress() as progress:
        from affetti.models.evaluation.sound import accuracy

        further = accuracy.Further(also, voices)
        if left_out:
            found = accuracy.leave_out((data, *also), progress, voices)
        elif cv:
            found = {"": accuracy.cross_validate(data, progress, model, further)}
        else:
            found = {
                "": accuracy.evaluate_music(
                    data, progress, model, everything=no_train, further=further
                )
            }
    if as_json:
        every = {name: result.as_json() for name, result in found.items()}
        terminal.print_json(every.get("", every))
        return
    for name, result in found.items():
        click.echo(f"{name}\n\n{result.as_text()}\n" if name else result.as_text())


@evaluate.command("fusion")
@click.option(
    "--faces", type=TypedPath(path_type=Path), required=True, metavar="ZIP",
    help="fer2013.zip, or a folder that holds it.",
)  # fmt: skip
@click.option(
    "--music", type=TypedPath(path_type=Path), required=True, metavar="DIR",
    help="Folder of labelled clips; what is said of them is trained again in folds by artist.",
)  # fmt: skip
@ALSO
@VOICES
@click.option(
    "--pipeline", type=click.Choice(["affetti", "paper"]), default="affetti", show_default=True,
    help="Whose networks.",
)  # fmt: skip
@click.option(
    "--limit",
    type=Number(FACES, whole=True),
    help="Read so many faces, evenly spread; all by default.",
)
@JSON
def evaluate_fusion(
    faces: Path,
    music: Path,
    also: tuple[Path, ...],
    voices: Path | None,
    pipeline: str,
    limit: int | None,
    as_json: bool,
) -> None:
    """Score fusion on constructed pairs of a face and a clip.

    First every pair has one label, as the published system presumes; then more and more pairs
    disagree. Nobody ever rated these pairs: what is measured is arithmetic on two models.
    """
    with training_extra(), shown_progress() as progress:
        from affetti.models.evaluation import fusion
        from affetti.models.evaluation.sound.accuracy import Further

        result = fusion.evaluate(
            faces, music, pipeline, progress, limit=limit, further=Further(also, voices)
        )
    if as_json:
        terminal.print_json(result.as_json())
    else:
        click.echo(result.as_text())


@evaluate.command("heard")
@DATA
@click.option("--model", default="heard_events", show_default=True, help="Name of the model.")
@JSON
def evaluate_heard(data: Path, model: str, as_json: bool) -> None:
    """Count what is taken for music, on a folder with labels.csv (columns file, kind, group).

    KIND is music or not_music; rows of another kind are listed, not counted. Of each clip there is
    a window each whole second from the third on, of the last ten, as in a recording.
    """
    with training_extra(), shown_progress() as progress:
        from affetti.models.evaluation.sound import heard

        result = heard.evaluate_heard(data, progress, model)
    if as_json:
        terminal.print_json(result.as_json())
    else:
        click.echo(result.as_text())
