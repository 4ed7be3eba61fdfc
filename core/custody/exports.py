"""What left: a log beside a recording of what other programs or other folders hold of it.

Neither withdrawal nor encryption reaches a copy. So each is noted, in `NAME.exports.jsonl`, which
is encrypted where the recording is, and whoever withdraws their consent is told where they went.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from affetti.core.codes import Digest, Given
from affetti.core.custody import boxes
from affetti.core.custody.artefacts import ARTEFACTS, ENCRYPTED_SUFFIX, EXPORTS, is_found
from affetti.core.custody.keys import DataKey
from affetti.core.errors import AffettiError, Damaged
from affetti.core.events.base import field
from affetti.core.events.entries import Entry, new_id
from affetti.core.place import told


class Exported(Entry, frozen=True, kw_only=True, tag=True):
    """A copy was made where encryption or withdrawal may not reach it."""

    name: Annotated[Given, field("of what was copied")]
    target: Annotated[Given, field("where the copy was written")]
    sha256: Annotated[Digest, field("of the copy")]


_decoder = msgspec.json.Decoder(Exported)


def note(recording: Path, key: DataKey | None, name: str, target: Path) -> None:
    """Note that a copy of something beside a recording, or of itself, is at `target`.

    Raises
    ------
    AffettiError
        What was noted before cannot be read.
    OSError
        It cannot be written, or the copy cannot be read.
    """
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    entry = Exported(author_id=new_id(), name=name, target=str(target.absolute()), sha256=digest)
    path = recording.with_name(EXPORTS.name(recording))
    before = boxes.read(path) if boxes.found_at(path) else b""
    boxes.replace(path, before + msgspec.json.encode(entry) + b"\n", key)


def note_elsewhere(recording: Path, key: DataKey | None, found: Path, file: Path) -> None:
    """Note what was written of a recording where withdrawal and encryption do not reach it, once.

    Nothing is noted where the recording lies in a folder that nobody may write to: nothing can be
    withdrawn from it there either.

    Parameters
    ----------
    recording, key
        Of what it was made.
    found
        By whose name it would be found: the file itself, or the folder that it is in.
    file
        The file.

    Raises
    ------
    AffettiError
        What was noted before cannot be read.
    OSError
        It cannot be written, or the file cannot be read.
    """
    reached = is_found(found, recording) and (key is None or file.suffix == ENCRYPTED_SUFFIX)
    if reached or not os.access(recording.parent, os.W_OK):
        return
    place = file.resolve()
    if all(each.target != str(place) for each in noted(recording)):
        note(recording, key, found.name, place)


def out_of_reach(copies: Iterable[Exported], gone: Iterable[Path]) -> list[Exported]:
    """Return of copies one for each place that they were written to, but those that are gone."""
    places = {os.path.realpath(each.target): each for each in copies}
    reached = set(map(os.path.realpath, gone))
    return [each for place, each in places.items() if place not in reached]


def recording_of(file: Path) -> Path:
    """Return the recording that an encrypted file lies beside, or is; else the file itself."""
    name = file.name.removesuffix(ENCRYPTED_SUFFIX)
    for folder, named in ((file.parent, name), (file.parent.parent, file.parent.name)):
        for recording in sorted(folder.glob("*.h5")):
            if any(each.matches(named, recording) for each in ARTEFACTS):
                return recording
    return file


def noted(recording: Path) -> list[Exported]:
    """Return what was noted of a recording, in order.

    Raises
    ------
    AffettiError
        It cannot be read.
    """
    found, error = legible(recording)
    if error is not None:
        raise error
    return found


def legible(recording: Path) -> tuple[list[Exported], AffettiError | None]:
    """Return what can be read of what was noted, and why that is not all, where it is not.

    A list that is damaged must not keep anybody from removing what they have a right to.
    """
    path = recording.with_name(EXPORTS.name(recording))
    if boxes.found_at(path) is None:
        return [], None
    found, damaged = list[Exported](), None
    try:
        with told(path):
            lines = boxes.read(path).splitlines()
    except AffettiError as error:
        return [], error
    for line in lines:
        try:
            found.append(_decoder.decode(line))
        except (ValueError, RecursionError) as error:
            damaged = Damaged("vault.exports_damaged", path=path.name)
            damaged.__cause__ = error
    return found, damaged
