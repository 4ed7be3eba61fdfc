"""A sealed recording, to be read: `Session.open(path)`, and everything is an attribute.

with Session.open("sub-P07_ses-20261124T101500.h5") as session:
    session.info.duration_s
    session.frames.at(12.5).image()
    session.audio("room").read(10.0, 20.0)
    session.signals["heart"].values
    session.estimates.fused["happiness"]
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

import h5py
import numpy as np
from numpy.typing import NDArray

from affetti.core.consent import declared
from affetti.core.custody.standing import Source, source_at
from affetti.core.errors import AffettiError, Damaged, UsageError
from affetti.core.events import (
    ESTIMATE_TABLES,
    KINDS,
    MAX_SESSION_NS,
    AnyEvent,
    AudioFormat,
    Event,
    MarkerAdded,
    NoteAdded,
    SessionStarted,
    StreamOpened,
    UnknownEvent,
    columns,
    decode,
    estimate_kind,
    major,
)
from affetti.core.events.estimates import MODALITY_PATTERN
from affetti.core.language import text
from affetti.core.recording import hdf5, layout
from affetti.core.recording.attributes import text_attribute
from affetti.core.recording.bounds import refuse_long, state_of
from affetti.core.recording.columns import EstimateColumns
from affetti.core.recording.info import SessionInfo, describe
from affetti.core.recording.integrity import (
    NOTHING_REMOVED,
    REMOVED_ROW,
    ROW_BYTES,
    SALT_BYTES,
    SALTED_BYTES,
    SHA_BYTES,
    contents_sha256,
    is_sealed,
    log_sha256,
    salted_headers,
)
from affetti.core.recording.records import Record
from affetti.core.recording.signals import stretches
from affetti.core.recording.stored import Audio, Frames, Signal, StoredBytes, StoredSamples
from affetti.core.state import SessionState, Track
from affetti.core.streams import (
    AUDIO,
    PLAYBACK,
    ROOM,
    SAMPLE_TYPES,
    SAMPLES,
    STAMP,
    TEXT,
    VIDEO,
    Stream,
    audio_stream,
)

_MIN_EVENT_BYTES: Final = 16  # of JSON
_JSON_AT_ONCE: Final = 64 << 10  # bytes, where a few records are looked for
_ROWS_AT_ONCE: Final = 16_384  # of the index: as lists, those of hours take hundreds of MB
_NUMBERS: Final = ("seq", "t_ns", "offset", "length", "blob_length", "crc32")
_WORDS: Final = ("kind", "stream", "scopes")
_WITH_BLOB: Final = {name for name, kind in KINDS.items() if kind.traits.blob}


class Estimates(Mapping[str, EstimateColumns]):
    """The live estimates by modality, as columns; see `core.events.columns` for their names."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._read: dict[str, EstimateColumns] = {}

    def __repr__(self) -> str:
        counts = self._session.state.estimates
        said = ", ".join(f"{name} {counts[name]}" for name in self._names)
        return f"<Estimates of {self._session.path.name}: {said}>"

    def __getitem__(self, modality: str) -> EstimateColumns:
        if modality not in self._names:
            raise KeyError(modality)
        if modality not in self._read:
            self._read[modality] = self._session.estimate_columns(modality)
        return self._read[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _names(self) -> tuple[str, ...]:
        found = self._session.modalities()
        return tuple(ESTIMATE_TABLES) + tuple(n for n in found if n not in ESTIMATE_TABLES)

    @property
    def face(self) -> EstimateColumns:
        """Columns of `FaceEstimated`."""
        return self["face"]

    @property
    def music(self) -> EstimateColumns:
        """Columns of `MusicEstimated`."""
        return self["music"]

    @property
    def heard(self) -> EstimateColumns:
        """Columns of `HeardEstimated`."""
        return self["heard"]

    @property
    def fused(self) -> EstimateColumns:
        """Columns of `EmotionFused`."""
        return self["fused"]


class Session:
    """A sealed recording. Made by `Session.open`; use it in a `with` block, or `close` it."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path = path
        self.source = Source(path, ())  # what was read; see `custody.standing`
        self._file = file
        self._takes_all = False  # whatever was altered, or because nothing was
        self._comparing = threading.Lock()  # sound may be read while pictures are
        self.key = hdf5.key_of(file)  # that it is encrypted with; None: it is not
        self.schema_version = text_attribute(file, "schema_version")
        major(self.schema_version)
        self.log_sha256 = text_attribute(file, "log_sha256")
        self.altered = not self._is_as_sealed()
        self._json = layout.dataset(path, file, "events/json", np.uint8)
        most = self._json.shape[0] // _MIN_EVENT_BYTES
        self._index = layout.table(path, file, "events/index", layout.EVENT_ROW, most)
        self._refuse_outside(self._index, self._json.shape[0], "events/index")
        t_ns = self._index["t_ns"]
        if len(t_ns) and not -MAX_SESSION_NS <= t_ns.min() <= t_ns.max() <= MAX_SESSION_NS:
            raise layout.damaged(path, text("damage.claims_last_weeks"))
        self.estimates = Estimates(self)

    @classmethod
    def open(cls, path: str | Path, *, altered: bool = False) -> Self:
        """Open a sealed recording, once all of it but pictures, sound and samples was verified.

        Those are when they are read: what was altered is not returned.

        Parameters
        ----------
        path
            The file.
        altered
            Whether one that was altered after it was sealed is opened all the same; its
            `altered` says so.

        Raises
        ------
        AffettiError
            It is missing, damaged, altered, unsealed, of a later version, another program's, or
            encrypted, and no vault that may read it is open.
        """
        path = Path(path)
        source = source_at(path)
        file = layout.open_sealed(path)
        try:
            with layout.reading(path):
                session = cls(path, file)
            session.source = source
            if session.altered and not altered:
                raise Damaged("session.altered", path=path.name)
            session._takes_all = altered
            return session
        except BaseException:
            file.close()
            raise

    def _is_as_sealed(self) -> bool:
        """Whether all but what the records cover is as it was when the file was sealed."""

        def look(name: str, item: h5py.Dataset) -> None:
            layout.look(self.path, name, item)

        digest = contents_sha256(self._file, look)
        return digest == text_attribute(self._file, "contents_sha256")

    def close(self) -> None:
        """Close the file; what was read stays."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        closed = "" if self._file else ", closed"
        return f"<Session {self.path.name}: {self.duration_s:.1f} s, {len(self)} events{closed}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process by its path: it is opened anew there."""
        return partial(type(self).open, altered=self.altered), (self.path.absolute(),)

    @cached_property
    def events(self) -> list[AnyEvent | UnknownEvent]:
        """Every event in order, without blobs."""
        reader = StoredBytes(self.path, self._json)
        return [decode(self._json_of(reader, row), self.schema_version) for row in self._index]

    def of_kinds(self, *kinds: type[Event]) -> list[AnyEvent | UnknownEvent]:
        """Return the events of some kinds in order, without reading the others."""
        names = [kind.__name__.encode() for kind in kinds]
        reader = StoredBytes(self.path, self._json)
        rows = self._index[np.isin(self._index["kind"], names)]
        return [decode(self._json_of(reader, row), self.schema_version) for row in rows]

    @property
    def last_ns(self) -> int:
        """The session time of the latest event, read without the events; 0 without any."""
        return int(self._index["t_ns"].max(initial=0))

    @cached_property
    def state(self) -> SessionState:
        """The fold over all events."""
        return state_of(self.path, self.events)

    @cached_property
    def started(self) -> SessionStarted:
        """The first event."""
        started = self.state.started
        if started is None:
            raise layout.damaged(self.path, text("damage.not_say_how_session"))
        return started

    @property
    def session_id(self) -> str:
        """The id of the session, read without its events.

        Raises
        ------
        AffettiError
            The recording is damaged.
        """
        return text_attribute(self._file, "session_id")

    @cached_property
    def info(self) -> SessionInfo:
        """The recording in brief."""
        _ = self.started
        return describe(self.state, sealed=True, log_sha256=self.log_sha256, altered=self.altered)

    @property
    def duration_s(self) -> float:
        """Length of the session in seconds."""
        return self.state.duration_s

    @property
    def tracks(self) -> list[Track]:
        """What was played, in order."""
        return self.state.tracks

    @property
    def markers(self) -> list[MarkerAdded]:
        """The therapist's markers, in order."""
        return self.state.markers

    @property
    def notes(self) -> list[NoteAdded]:
        """The therapist's notes, in order."""
        return self.state.notes

    @cached_property
    def streams(self) -> dict[str, Stream]:
        """The streams as they were declared, by name, in order."""
        found: dict[str, Stream] = {}
        for event in self.of_kinds(SessionStarted, StreamOpened):
            found |= declared(event)
        if not all(stream.possible for stream in found.values()):
            raise layout.damaged(self.path, text("damage.declares_stream_cannot"))
        return found

    @property
    def frames(self) -> Frames:
        """The frames of the first video stream, read lazily; none where there is no video."""
        return next(iter(self.video.values()), Frames(None, np.empty(0, layout.FRAME_ROW)))

    @cached_property
    def video(self) -> dict[str, Frames]:
        """The frames of each video stream, by its name."""
        return {stream.name: self._open_video(stream) for stream in self._of_kind(VIDEO)}

    @cached_property
    def signals(self) -> dict[str, Signal]:
        """The signals, by name."""
        return {stream.name: self._open_signal(stream) for stream in self._of_kind(SAMPLES)}

    def audio(self, stream: str) -> Audio:
        """Return an audio stream; "room" and "playback" are empty where they were not recorded.

        Raises
        ------
        KeyError
            The recording has no sound of that name.
        """
        sounds = {each.name: each for each in self._of_kind(AUDIO)}
        if stream not in sounds and stream not in (ROOM, PLAYBACK):
            raise KeyError(f"there is no sound {stream!r}, but {', '.join(sounds) or 'none'}")
        if stream not in self._audio:
            missing = audio_stream(stream, AudioFormat(44_100, 1))
            self._audio[stream] = self._open_audio(sounds.get(stream, missing))
        return self._audio[stream]

    @cached_property
    def _audio(self) -> dict[str, Audio]:
        return {}

    def _of_kind(self, kind: str) -> list[Stream]:
        return [stream for stream in self.streams.values() if stream.kind == kind]

    def _open_video(self, stream: Stream) -> Frames:
        if not self._has("video", stream.name):
            return Frames(None, np.empty(0, layout.FRAME_ROW))
        name = f"video/{stream.name}"
        index = layout.table(self.path, self._file, f"{name}/index", layout.FRAME_ROW)
        data = layout.dataset(self.path, self._file, f"{name}/bytes", np.uint8)
        self._refuse_outside(index, data.shape[0], f"{name}/index")
        return Frames(StoredBytes(self.path, data), index, compare=self._compare)

    def _open_audio(self, stream: Stream) -> Audio:
        name, form = f"audio/{stream.name}", stream.form
        if not self._has("audio", stream.name):
            return Audio(self.path, None, np.empty(0, layout.BLOCK_ROW), form)
        samples = layout.dataset(
            self.path, self._file, f"{name}/samples", np.dtype("<i2"), ndim=2, filtered=True
        )
        blocks = layout.table(self.path, self._file, f"{name}/blocks", layout.BLOCK_ROW)
        if samples.shape[1] != form.channels:
            raise layout.damaged(self.path, text("damage.not_form_session_says", name=name))
        self._refuse_beyond(blocks, samples.shape[0], name)
        return Audio(self.path, samples, blocks, form, compare=self._compare)

    def _open_signal(self, stream: Stream) -> Signal:
        name = f"signals/{stream.name}"
        clocks = stretches(stream.name, self.events)
        if not self._has("signals", stream.name):
            return Signal(self.path, stream, None, np.empty(0, layout.SIGNAL_ROW), clocks)
        is_text = stream.encoding == TEXT
        dtype = np.dtype(np.uint8) if is_text else SAMPLE_TYPES[stream.encoding]
        samples = layout.dataset(
            self.path,
            self._file,
            f"{name}/samples",
            dtype,
            ndim=1 if is_text else 2,
            filtered=True,
        )
        stamps = layout.dataset(self.path, self._file, f"{name}/stamps_s", STAMP, filtered=True)
        for each in (samples, stamps):
            refuse_long(self.path, name, each.size * each.dtype.itemsize)
        blocks = layout.table(self.path, self._file, f"{name}/blocks", layout.SIGNAL_ROW)
        fits = is_text or samples.shape == (stamps.shape[0], len(stream.channels))
        if not fits:
            raise layout.damaged(self.path, text("damage.not_form_session_says", name=name))
        self._refuse_beyond(blocks, stamps.shape[0], name)
        self._refuse_outside(blocks, samples.shape[0] if is_text else 0, f"{name}/blocks")
        return Signal(self.path, stream, (samples, stamps), blocks, clocks, compare=self._compare)

    @cached_property
    def _others(self) -> "tuple[StoredBytes, NDArray[Any]] | None":
        """Where the blobs of kinds lie that whoever sealed the file did not know."""
        if not self._has("blobs"):
            return None
        index = layout.table(self.path, self._file, "blobs/index", layout.BLOB_ROW)
        data = layout.dataset(self.path, self._file, "blobs/bytes", np.uint8)
        self._refuse_outside(index, data.shape[0], "blobs/index")
        return StoredBytes(self.path, data), index

    def modalities(self) -> list[str]:
        """Return the modalities that the file has columns of, in order of their names."""
        if not self._has("estimates"):
            return []
        with layout.reading(self.path, self._file):
            return sorted(n for n in self._file["estimates"] if re.match(MODALITY_PATTERN, n))

    def estimate_columns(self, name: str) -> EstimateColumns:
        """Return the columns of /estimates/`name`, a modality, as they are declared."""
        group, kind = f"estimates/{name}", estimate_kind(name)
        if not self._has("estimates", name):
            return EstimateColumns(name, kind, {})
        with layout.reading(self.path, self._file):
            found = list(self._file[group])
        table = {
            column: layout.table(self.path, self._file, f"{group}/{column}", None)
            for column in found
        }
        if len({len(values) for values in table.values()}) > 1:
            raise layout.damaged(self.path, text("damage.columns_different_length", group=group))
        rows = len(next(iter(table.values()), ()))
        # What an earlier minor version did not know of is not known of its recordings.
        unknown = {
            column: np.full(rows, np.nan) for column in columns(kind, []) if column not in table
        }
        with layout.reading(self.path):  # a text may be no UTF-8
            known = {
                column: np.char.decode(values, "utf-8").astype(object)
                if values.dtype.kind == "S"
                else values
                for column, values in table.items()
            }
        return EstimateColumns(name, kind, unknown | known)

    def records(self) -> Iterator[Record]:
        """Yield every event as it is stored, with its blob, in order.

        Raises
        ------
        AffettiError
            A blob is missing.
        """
        blobs = _Blobs(self)
        reader = StoredBytes(self.path, self._json)
        for first in range(0, len(self._index), _ROWS_AT_ONCE):
            index = self._index[first : first + _ROWS_AT_ONCE]
            numbers = zip(*(index[name].tolist() for name in _NUMBERS), strict=True)
            texts = zip(*(_words(index[name]) for name in _WORDS), strict=True)
            for row, words in zip(numbers, texts, strict=True):
                (seq, t_ns, start, json_length, length, crc32), (kind, stream, scopes) = row, words
                json = reader.read(start, start + json_length)
                blob = blobs(seq, kind, length)
                yield Record(seq, t_ns, kind, json, blob, crc32, stream, scopes)

    def verified_records(self) -> Iterator[Record]:
        """Yield every event like `records`, compared with its digest.

        Raises
        ------
        AffettiError
            A record, or anything else that a reader uses, is not what was sealed.
        """
        self._verify_chain()
        for row, record in zip(self.digests, self.records(), strict=True):
            if not is_sealed(record, row):
                raise self._altered_at(record.seq)
            yield record

    def _compare(self, seqs: NDArray[Any]) -> None:
        """Refuse records, by their numbers, that are not what was sealed.

        Not where whoever opened the file takes altered ones, nor once all of it was verified.
        """
        if self._takes_all:
            return
        places = np.searchsorted(self.seqs, seqs).tolist()
        with self._comparing:
            _ = self._whole_chain
            for seq, at in zip(seqs.tolist(), places, strict=True):
                if at == len(self) or not self._is_sealed_at(at, seq):
                    raise self._altered_at(seq)

    def _is_sealed_at(self, at: int, seq: int) -> bool:
        row = self._index[at]
        kind, stream, scopes = (row[name].decode("ascii", "replace") for name in _WORDS)
        json = self._json_of(self._few, row)
        blob = self._blobs(seq, kind, int(row["blob_length"]))
        t_ns, crc32 = int(row["t_ns"]), int(row["crc32"])
        record = Record(int(row["seq"]), t_ns, kind, json, blob, crc32, stream, scopes)
        return record.seq == seq and is_sealed(record, self.digests[at])

    @cached_property
    def _whole_chain(self) -> None:
        return self._verify_chain()

    @cached_property
    def _few(self) -> StoredBytes:
        return StoredBytes(self.path, self._json, _JSON_AT_ONCE)

    @cached_property
    def _blobs(self) -> "_Blobs":
        return _Blobs(self)

    def _verify_chain(self) -> None:
        if self.altered or self.chain_sha256() != self.log_sha256:
            raise layout.damaged(self.path, text("damage.log_not_one_sealed"))

    def _altered_at(self, seq: int) -> AffettiError:
        self.altered = True
        return layout.damaged(self.path, text("damage.event_altered", seq=seq))

    @cached_property
    def digests(self) -> NDArray[np.uint8]:
        """Salt and digest of each event, uint8 [n, 48]: see `core.recording.integrity`."""
        item = layout.dataset(self.path, self._file, "events/digests", np.uint8, ndim=2)
        if item.shape != (len(self), ROW_BYTES):
            what = text("damage.not_form_session_says", name="events/digests")
            raise layout.damaged(self.path, what)
        with layout.reading(self.path, item):
            return np.asarray(item[:], np.uint8)

    @property
    def index(self) -> NDArray[Any]:
        """The index of its events, `core.recording.layout.EVENT_ROW` [n]."""
        return np.asarray(self._index)

    @property
    def seqs(self) -> NDArray[np.int64]:
        """The numbers of the events that are there, in order."""
        return np.asarray(self._index["seq"], np.int64)

    @property
    def known_seqs(self) -> NDArray[np.int64]:
        """The numbers of all events, those that were withdrawn among them, in order."""
        return np.sort(np.concatenate([self.seqs, self.removed["seq"]]))

    @property
    def last_seq(self) -> int:
        """The number of the last event, be it withdrawn."""
        return int(self.known_seqs[-1])

    @cached_property
    def removed(self) -> NDArray[Any]:
        """What was withdrawn from the file, `REMOVED_ROW` [n]: see `core.recording.integrity`."""
        if "removed" not in self._file["events"]:
            return NOTHING_REMOVED
        return np.asarray(layout.table(self.path, self._file, "events/removed", REMOVED_ROW))

    def chain_sha256(self, before_seq: int | None = None) -> str:
        """Return the digest over the log as it is, or over what stands before a record."""
        seqs, digests, removed = self.seqs, self.digests, self.removed
        if before_seq is not None:
            digests, seqs = digests[seqs < before_seq], seqs[seqs < before_seq]
            removed = removed[removed["seq"] < before_seq]
        return log_sha256(seqs, digests, removed)

    def verify_digest(self, told: Callable[[int], None] = lambda size: None) -> None:
        """Read everything and compare it with its digests; what is wrong makes it `altered`.

        Parameters
        ----------
        told
            Called with the size of each record, in bytes.

        Raises
        ------
        AffettiError
            A record, or anything else that a reader uses, is not what was sealed.
        """
        self._verify_chain()
        blobs, reader = _Blobs(self), StoredBytes(self.path, self._json)
        for first in range(0, len(self._index), _ROWS_AT_ONCE):
            index = self._index[first : first + _ROWS_AT_ONCE]
            digests = self.digests[first : first + _ROWS_AT_ONCE]
            salted = memoryview(salted_headers(index, digests))
            sealed = np.ascontiguousarray(digests[:, SALT_BYTES:]).tobytes()
            names = ("seq", "offset", "length", "blob_length")
            numbers = zip(*(index[name].tolist() for name in names), strict=True)
            kinds = _words(index["kind"])
            for i, (seq, start, length, blob_length) in enumerate(numbers):
                blob = blobs(seq, kinds[i], blob_length)
                digest = sha256(salted[i * SALTED_BYTES : (i + 1) * SALTED_BYTES])
                digest.update(reader.read(start, start + length))
                digest.update(blob)
                whole = sealed[i * SHA_BYTES : (i + 1) * SHA_BYTES]
                if len(blob) != blob_length or digest.digest() != whole:
                    raise self._altered_at(seq)
                told(length + blob_length)
        self._takes_all = True

    def notice_alterations(self) -> None:
        """Read everything, as `verify_digest`, and let `altered` say what came of it."""
        try:
            self.verify_digest()
        except Damaged:
            self.altered = True

    def _has(self, *steps: str) -> bool:
        """Whether the file has a group of its own at a path."""
        if not self._file:  # HDF5 would say that it has none
            raise UsageError("layout.closed_nothing_more_can", path=self.path.name)
        with layout.reading(self.path, self._file):
            found = layout.own(self._file.id, *steps)
        if found is not None and not isinstance(found, h5py.h5g.GroupID):
            raise layout.damaged(self.path, text("damage.no_group", steps="/".join(steps)))
        return found is not None

    def _json_of(self, reader: StoredBytes, row: Any) -> bytes:
        start = int(row["offset"])
        return reader.read(start, start + int(row["length"]))

    def _refuse_outside(self, index: NDArray[Any], size: int, name: str) -> None:
        if not len(index):
            return
        offsets, lengths = index["offset"], index["length"].astype(np.uint64)
        if offsets.max() > size or (offsets + lengths).max() > size:
            raise layout.damaged(self.path, text("damage.points_outside_data", name=name))

    def _refuse_beyond(self, blocks: NDArray[Any], size: int, name: str) -> None:
        """Refuse blocks that reach beyond their samples."""
        if not len(blocks):
            return
        ends = blocks["row"] + blocks["count"]
        inside = blocks["row"].min() >= 0 and blocks["count"].min() >= 0 and ends.max() <= size
        if not inside or ends.min() < 0:
            raise layout.damaged(self.path, text("damage.blocks_points_outside_samples", name=name))


def _words(column: NDArray[Any]) -> list[str]:
    """Return a column of short texts: few different ones, in many rows."""
    found, at = np.unique(column, return_inverse=True)
    words = [each.decode("ascii", "replace") for each in found.tolist()]
    return [words[i] for i in at.tolist()]


_Read: TypeAlias = Callable[[int, int], bytes]  # from where to where, as of which


class _Blobs:
    """Finds the blob of a record by its `seq`, best in rising order."""

    def __init__(self, session: Session) -> None:
        self._path = session.path
        self._read: list[_Read] = []
        self._rows: list[NDArray[np.int64]] = [np.empty((0, 4), np.int64)]
        for frames in session.video.values():
            if frames._jpeg is not None:
                self._add(frames._jpeg.read, frames.rows, "offset", "length")
        for stream in session._of_kind(AUDIO):
            audio = session.audio(stream.name)
            if audio._samples is not None:
                read = StoredSamples(self._path, audio._samples).read
                self._add(read, audio.blocks, "row", "count")
        for signal in session.signals.values():
            self._add_samples(signal)
        if session._others is not None:
            self._add(session._others[0].read, session._others[1], "offset", "length")
        rows = np.concatenate(self._rows)
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        # Of several that claim a number the last one has it.
        last = np.ones(len(rows), bool)
        last[:-1] = rows[1:, 0] != rows[:-1, 0]
        self._places = rows[last]
        self._seqs = np.ascontiguousarray(self._places[:, 0])
        self._next = 0

    def _add(self, read: _Read, index: NDArray[Any], start: str, length: str) -> None:
        """Note where blobs lie: their numbers, who reads them, from where and to where."""
        starts = index[start].astype(np.int64)
        self._note(read, index["seq"], starts, starts + index[length].astype(np.int64))

    def _note(
        self, read: _Read, seqs: NDArray[Any], starts: NDArray[np.int64], stops: NDArray[np.int64]
    ) -> None:
        of = np.full(len(seqs), len(self._read), np.int64)
        self._rows.append(np.stack([seqs.astype(np.int64), of, starts, stops], axis=1))
        self._read.append(read)

    def _add_samples(self, signal: Signal) -> None:
        """Note the blocks of a signal, each of which lies in two places, by their numbers."""
        if signal._data is None:
            return
        values, stamps = (StoredSamples(self._path, dataset) for dataset in signal._data)
        is_text = signal.stream.encoding == TEXT
        blocks = signal.blocks

        def read(start: int, stop: int) -> bytes:
            block = blocks[start]
            begin, end = int(block["row"]), int(block["row"]) + int(block["count"])
            at = int(block["offset"])
            cut = (at, at + int(block["length"])) if is_text else (begin, end)
            return b"".join((stamps.read(begin, end), values.read(*cut)))

        at = np.arange(len(blocks), dtype=np.int64)
        self._note(read, blocks["seq"], at, at + 1)

    def __call__(self, seq: int, kind: str, length: int) -> bytes:
        at = self._at(seq)
        if at is None and not length and kind not in _WITH_BLOB:
            return b""
        if at is None:
            raise layout.damaged(self._path, text("damage.event_lost_data", seq=seq, kind=kind))
        place: list[int] = self._places[at].tolist()
        _, of, start, stop = place
        return self._read[of](start, stop)

    def _at(self, seq: int) -> int | None:
        at = self._next
        if not (at < len(self._seqs) and self._seqs[at] == seq):
            at = int(np.searchsorted(self._seqs, seq, side="right")) - 1
        if at < 0 or self._seqs[at] != seq:
            return None
        self._next = at + 1
        return at


def session_id_of(path: Path) -> str:
    """Return the id of the session that a recording says it holds; only opening it verifies that.

    Raises
    ------
    AffettiError
        It is no sealed recording, or one that cannot be read.
    """
    with layout.open_sealed(path) as file, layout.reading(path):
        return text_attribute(file, "session_id")
