"""Films and tracks as ffmpeg makes them, against what ffprobe and ffmpeg say: `make media`.

Over containers, codecs, scans, shapes, time stamps, damage and rates. Each is read as the
recorder reads it: counts and times have to be ffprobe's to the container's tick, lengths right to
a frame, pictures within 3 grey levels in the mean and sound within -60 dB of what ffmpeg decodes;
or it is refused, by the reason that was foreseen. `python -m tests.media [NAME...]`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.errors import AffettiError, MediaError
from affetti.recorder.sources.container import Container, Undecoded, first_decoded
from affetti.recorder.sources.container import Decoded as Shown
from affetti.recorder.sources.film import in_order
from affetti.recorder.sources.sound import Decoded, UndecodableError, blocks, look
from affetti.recorder.sources.timeline import due_times
from affetti.recorder.sources.track import open_track

PICTURE: Final = "testsrc2=size=160x120:rate=25:duration=2"
SMOOTH: Final = "gradients=size=160x120:rate=25:duration=2:speed=0.05:seed=7"
SOUND: Final = "sine=frequency=330:sample_rate={rate}:duration=3"
CUBIC: Final = cv2.INTER_CUBIC
GREY_LEVELS: Final = 3.0
FAINTEST_DB: Final = -60.0

Damage = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Film:
    """A film that ffmpeg makes.

    `refused` is the id of the error where it is to be refused; `lossy` whether some of its
    pictures are damaged, so that those missing need only be told.
    """

    name: str
    options: str
    source: str = PICTURE
    filters: str = ""
    damage: Damage | None = None
    refused: str = ""
    lossy: bool = False
    second: str = ""  # options of a second film that is joined to it, byte by byte


@dataclass(frozen=True)
class Sound:
    """A track that ffmpeg makes."""

    name: str
    options: str
    rate: int = 44_100
    channels: int = 2
    damage: Damage | None = None
    refused: bool = False
    lossy: bool = False
    twice: bool = False  # the same once more behind it


@dataclass
class Outcome:
    """What became of one."""

    name: str
    good: bool
    said: str


def cut(share: float) -> Damage:
    """Return the damage of a download that broke off."""
    return lambda data: data[: round(len(data) * share)]


def zeroed(begin: float, size: int) -> Damage:
    """Return the damage of a bad block, from a share of the file on."""

    def damage(data: bytes) -> bytes:
        at = round(len(data) * begin)
        return data[:at] + bytes(size) + data[at + size :]

    return damage


X264: Final = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"

FILMS: Final = (
    *(Film(f"h264.{box}", X264) for box in ("mp4", "mov", "mkv", "avi", "flv", "ts", "m4v", "3gp")),
    Film("h264_b_frames.mp4", "-c:v libx264 -preset fast -bf 3 -pix_fmt yuv420p"),
    Film("h264_open_gop.ts", "-c:v libx264 -x264-params open-gop=1:keyint=10:bframes=3"),
    Film("h264_yuv444.mkv", "-c:v libx264 -preset ultrafast -pix_fmt yuv444p"),
    # Smooth where colours are made finer on the way: how, each does in its own way.
    Film("h264_10_bit.mkv", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le", SMOOTH),
    Film("h264_fragments.mp4", f"{X264} -movflags frag_keyframe+empty_moov"),
    Film("h264_faststart.mp4", f"{X264} -movflags faststart"),
    Film("h265.mp4", "-c:v libx265 -x265-params log-level=none -preset ultrafast"),
    Film("h265.mkv", "-c:v libx265 -x265-params log-level=none -preset ultrafast"),
    Film("vp8.webm", "-c:v libvpx -deadline realtime -b:v 1M"),
    Film("vp9.webm", "-c:v libvpx-vp9 -deadline realtime -b:v 1M"),
    Film("av1.mkv", "-c:v libsvtav1 -preset 12"),
    Film("av1.mp4", "-c:v libaom-av1 -cpu-used 8 -usage realtime", source=SMOOTH),
    Film("mpeg4.avi", "-c:v mpeg4 -q:v 3"),
    Film("mpeg4.mp4", "-c:v mpeg4 -q:v 3"),
    Film("xvid_b_frames.avi", "-c:v libxvid -bf 2 -q:v 3"),
    Film("msmpeg4.avi", "-c:v msmpeg4 -q:v 3"),
    Film("wmv1.asf", "-c:v wmv1 -q:v 3"),
    Film("wmv2.wmv", "-c:v wmv2 -q:v 3"),
    Film("mpeg1.mpg", "-c:v mpeg1video -q:v 3"),
    Film("mpeg2.mpg", "-c:v mpeg2video -q:v 3"),
    Film("mpeg2.ts", "-c:v mpeg2video -q:v 3"),
    Film("mpeg2.vob", "-c:v mpeg2video -q:v 3"),
    Film("mjpeg.avi", "-c:v mjpeg -q:v 3"),
    Film("mjpeg.mov", "-c:v mjpeg -q:v 3"),
    Film("ffv1.mkv", "-c:v ffv1"),
    Film("huffyuv.avi", "-c:v huffyuv"),
    Film("utvideo.avi", "-c:v utvideo -pix_fmt yuv420p"),
    Film("rawvideo.avi", "-c:v rawvideo -pix_fmt bgr24"),
    Film("prores.mov", "-c:v prores_ks"),
    Film("theora.ogv", "-c:v libtheora -q:v 8"),
    Film("flv1.flv", "-c:v flv -q:v 3"),
    Film("gif.gif", "-c:v gif", source=SMOOTH),
    Film("h263.3gp", "-c:v h263 -s 176x144 -q:v 3", source=SMOOTH),
    Film("jpeg2000.mov", "-c:v jpeg2000"),
    Film("png.mov", "-c:v png"),
    Film("qtrle.mov", "-c:v qtrle"),
    Film("dv.dv", "-c:v dvvideo -s 720x576 -pix_fmt yuv420p", filters="scale=720:576"),
    Film("nut.nut", "-c:v mpeg4 -q:v 3"),
    # Scans
    Film("interlaced_mpeg2.mpg", "-c:v mpeg2video -q:v 3 -flags +ildct+ilme",
         filters="interlace", source="testsrc2=size=160x128:rate=50:duration=2"),
    Film("interlaced_h264.ts", f"{X264} -flags +ildct+ilme -x264-params tff=1",
         filters="interlace", source="testsrc2=size=160x128:rate=50:duration=2"),
    # Shapes
    Film("wide_pixels.mp4", X264, source=SMOOTH, filters="setsar=2"),
    Film("narrow_pixels.mkv", X264, source=SMOOTH, filters="setsar=8/9"),
    Film("turned.mp4", f"{X264} -metadata:s:v:0 rotate=90"),
    Film("odd_size.mkv", "-c:v ffv1", filters="crop=157:119"),
    Film("tiny.avi", "-c:v ffv1", filters="scale=16:16,setsar=1"),
    Film("tall.mp4", X264, filters="scale=64:480"),
    Film("grey.mkv", "-c:v ffv1 -pix_fmt gray"),
    Film("full_range.mkv", "-c:v ffv1 -pix_fmt yuvj420p"),
    # Time stamps
    Film("ntsc.mp4", X264, source="testsrc2=size=160x120:rate=30000/1001:duration=2"),
    Film("film_rate.mkv", X264, source="testsrc2=size=160x120:rate=24000/1001:duration=2"),
    Film("fast.mp4", X264, source="testsrc2=size=160x120:rate=120:duration=1"),
    Film("slow.mp4", X264, source="testsrc2=size=160x120:rate=2:duration=4"),
    Film("variable.mkv", f"{X264} -fps_mode vfr", filters="select='not(between(n,5,9))*mod(n,3)'"),
    Film("late_start.mkv", f"{X264} -fps_mode passthrough", filters="setpts=PTS+1.8/TB"),
    Film("gap.mp4", f"{X264} -fps_mode vfr", filters="setpts='PTS+gte(N,20)*10/TB'"),
    Film("no_times.h264", f"{X264} -f h264"),
    Film("bare_mpeg4.m4v", "-c:v mpeg4 -q:v 3 -f m4v"),
    Film("joined.ts", X264, second=X264),
    Film("late_start.mp4", f"{X264} -fps_mode passthrough", filters="setpts=PTS+0.7/TB"),
    # Damage
    Film("cut_off.mp4", f"{X264} -movflags faststart", damage=cut(0.55), lossy=True),
    Film("cut_off.mkv", X264, damage=cut(0.55), lossy=True),
    Film("cut_off.ts", X264, damage=cut(0.55), lossy=True),
    Film("cut_off.avi", "-c:v mjpeg -q:v 3", damage=cut(0.55), lossy=True),
    Film("cut_off_without_index.mp4", X264, damage=cut(0.55), refused="film.no_index"),
    Film("bad_block.mp4", f"{X264} -g 10", damage=zeroed(0.4, 900), lossy=True),
    Film("bad_block.ts", f"{X264} -g 10", damage=zeroed(0.4, 900), lossy=True),
    Film("bad_block_mjpeg.avi", "-c:v mjpeg -q:v 3", damage=zeroed(0.4, 900), lossy=True),
    Film("bad_block.mpg", "-c:v mpeg2video -q:v 3", damage=zeroed(0.4, 900), lossy=True),
    Film("bad_block.mkv", f"{X264} -g 10", damage=zeroed(0.4, 900), lossy=True),
    Film("bad_block.avi", "-c:v mpeg4 -q:v 3 -g 10", damage=zeroed(0.4, 900), lossy=True),
    Film("bad_block_h265.mp4", "-c:v libx265 -x265-params log-level=none:keyint=10 -preset fast",
         damage=zeroed(0.4, 900), lossy=True),
    # Of these the decoders say nothing: what they show is shown.
    # Encoded in real time it were another file each time, and damaged elsewhere.
    Film("bad_block_vp8.webm", "-c:v libvpx -deadline good -cpu-used 5 -threads 1 -b:v 2M -g 10 "
         "-fflags +bitexact -flags:v +bitexact", damage=zeroed(0.4, 900)),
    Film("bad_block_png.mov", "-c:v png", damage=zeroed(0.4, 900), lossy=True),
    Film("bad_block_utvideo.avi", "-c:v utvideo -pix_fmt yuv420p", damage=zeroed(0.4, 900)),
    Film("empty.mp4", X264, damage=lambda data: b"", refused="film.empty"),
    Film("letter.mp4", X264, damage=lambda data: b"Dear Clara, " * 99, refused="film.unreadable"),
)  # fmt: skip

SOUNDS: Final = (
    *(Sound(f"pcm{bits}.wav", f"-c:a pcm_{bits}le") for bits in ("s16", "s24", "s32", "f32")),
    Sound("pcm_f64.wav", "-c:a pcm_f64le"),
    Sound("pcm_u8.wav", "-c:a pcm_u8"),
    Sound("alaw.wav", "-c:a pcm_alaw", 8_000, 1),
    Sound("mulaw.wav", "-c:a pcm_mulaw", 8_000, 1),
    Sound("adpcm_ms.wav", "-c:a adpcm_ms"),
    Sound("adpcm_ima.wav", "-c:a adpcm_ima_wav"),
    Sound("pcm.w64", "-c:a pcm_s16le -f w64"),
    Sound("rf64.wav", "-c:a pcm_s16le -rf64 always"),
    Sound("pcm.aiff", "-c:a pcm_s16be"),
    Sound("pcm24.aiff", "-c:a pcm_s24be"),
    Sound("pcm.au", "-c:a pcm_s16be"),
    Sound("pcm.caf", "-c:a pcm_s16le"),
    Sound("alac.caf", "-c:a alac"),
    Sound("flac16.flac", "-c:a flac -sample_fmt s16"),
    Sound("flac24.flac", "-c:a flac -sample_fmt s32 -bits_per_raw_sample 24"),
    Sound("flac.ogg", "-c:a flac"),
    *(Sound(f"mp3_{rate}.mp3", "-c:a libmp3lame -b:a 128k", rate) for rate in
      (8_000, 16_000, 22_050, 32_000, 44_100, 48_000)),
    Sound("mp3_mono.mp3", "-c:a libmp3lame -q:a 4", channels=1),
    Sound("mp3_variable.mp3", "-c:a libmp3lame -q:a 2"),
    Sound("mp3_no_header.mp3", "-c:a libmp3lame -q:a 2 -write_xing 0"),
    Sound("mp3_no_tags.mp3", "-c:a libmp3lame -b:a 96k -id3v2_version 0 -write_id3v1 0"),
    Sound("mp2.mp2", "-c:a mp2 -b:a 192k"),
    *(Sound(f"aac_{rate}.m4a", "-c:a aac -b:a 128k", rate) for rate in
      (16_000, 32_000, 44_100, 48_000, 96_000)),
    Sound("aac.aac", "-c:a aac -f adts"),
    Sound("aac_fragments.m4a", "-c:a aac -movflags frag_keyframe+empty_moov"),
    Sound("alac.m4a", "-c:a alac"),
    Sound("vorbis_8000.ogg", "-c:a libvorbis", 8_000, 1),
    Sound("vorbis.ogg", "-c:a libvorbis -q:a 5"),
    Sound("vorbis_96000.ogg", "-c:a libvorbis -q:a 5", 96_000),
    Sound("opus.opus", "-c:a libopus -b:a 96k", 48_000),
    Sound("opus_mono.opus", "-c:a libopus -b:a 32k", 48_000, 1),
    Sound("opus.ogg", "-c:a libopus", 48_000),
    Sound("opus.webm", "-c:a libopus", 48_000),
    Sound("vorbis.mka", "-c:a libvorbis"),
    Sound("flac.mka", "-c:a flac"),
    Sound("wma.wma", "-c:a wmav2 -b:a 128k"),
    Sound("ac3.ac3", "-c:a ac3", 48_000),
    Sound("eac3.eac3", "-c:a eac3", 48_000),
    Sound("wavpack.wv", "-c:a wavpack"),
    Sound("tta.tta", "-c:a tta"),
    Sound("speex.ogg", "-c:a libspeex", 16_000, 1),
    *(Sound(f"rate_{rate}.wav", "-c:a pcm_s16le", rate) for rate in
      (8_000, 11_025, 88_200, 96_000, 192_000)),
    Sound("six_channels.flac", "-c:a flac", channels=6),
    Sound("six_channels.wav", "-c:a pcm_s16le", channels=6),
    Sound("too_fast.wav", "-c:a pcm_s16le", 2_000_000, refused=True),
    # Damage
    Sound("joined.mp3", "-c:a libmp3lame -b:a 128k", twice=True),
    Sound("chained.ogg", "-c:a libvorbis", twice=True),
    Sound("cut_off.mp3", "-c:a libmp3lame -b:a 128k", damage=cut(0.5), lossy=True),
    Sound("cut_off.ogg", "-c:a libvorbis", damage=cut(0.8), lossy=True),
    Sound("cut_off.flac", "-c:a flac", damage=cut(0.5), lossy=True),
    Sound("cut_off.m4a", "-c:a aac", damage=cut(0.5), refused=True),
    Sound("cut_off.wav", "-c:a pcm_s16le", damage=cut(0.5), lossy=True),
    Sound("bad_block.mp3", "-c:a libmp3lame -b:a 128k", damage=zeroed(0.4, 2000), lossy=True),
    Sound("bad_block.flac", "-c:a flac", damage=zeroed(0.4, 2000), lossy=True),
    Sound("bad_block.ogg", "-c:a libvorbis", damage=zeroed(0.4, 2000), lossy=True),
    Sound("empty.mp3", "-c:a libmp3lame", damage=lambda data: b"", refused=True),
    Sound("letter.wav", "-c:a pcm_s16le", damage=lambda data: b"Dear Clara, " * 99, refused=True),
)  # fmt: skip

SLICE: Final = (
    *("h264_b_frames.mp4", "mpeg2.ts", "interlaced_mpeg2.mpg", "wide_pixels.mp4", "gap.mp4"),
    *("cut_off.mkv", "cut_off_without_index.mp4"),
    *("mp3_no_header.mp3", "aac_44100.m4a", "opus.opus", "pcms24.wav", "cut_off.flac"),
)


def tools_missing() -> list[str]:
    """Return which of ffmpeg's programs are not there."""
    return [name for name in ("ffmpeg", "ffprobe") if shutil.which(name) is None]


def trial(made: Film | Sound, folder: Path) -> Outcome:
    """Make one, read it, and compare."""
    path = folder / made.name
    try:
        _make(made, path)
    except subprocess.CalledProcessError as error:
        return Outcome(made.name, True, f"not made here: {error.stderr[-60:].decode().strip()}")
    try:
        said = _film(made, path) if isinstance(made, Film) else _sound(made, path)
    except AssertionError as error:
        return Outcome(made.name, False, str(error).splitlines()[0])
    return Outcome(made.name, True, said)


def _make(made: Film | Sound, path: Path) -> None:
    begin = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i"]
    if isinstance(made, Film):
        filters = ["-vf", made.filters] if made.filters else []
        run([*begin, made.source, *filters, *made.options.split(), str(path)])
        if made.second:
            path.write_bytes(path.read_bytes() * 2)
    else:
        tone = SOUND.format(rate=min(made.rate, 192_000))
        shape = ["-ac", str(made.channels), "-ar", str(made.rate), "-af", "volume=8dB"]
        run([*begin, tone, *shape, *made.options.split(), str(path)])
        if made.twice:
            path.write_bytes(path.read_bytes() * 2)
    if made.damage is not None:
        path.write_bytes(made.damage(path.read_bytes()))


def run(command: list[str]) -> bytes:
    return subprocess.run(command, capture_output=True, check=True).stdout


def probe(path: Path, *entries: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "quiet", "-of", "json", *entries, str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout or b"{}")
    return found


def _film(made: Film, path: Path) -> str:
    try:
        container = Container(path)
        failed, first, rest = first_decoded(container, path.name)
    except AffettiError as error:
        right = MediaError(made.refused, path=path.name).message if made.refused else ""
        return _refused(error, error.message == right)
    with closing(container):
        return _read(made, path, container, [*failed, first, *rest])


def _read(made: Film, path: Path, container: Container, found: list[Shown | Undecoded]) -> str:
    assert not made.refused, "not refused"
    rate = container.frames_per_s or 25.0
    items = in_order(iter(found))
    shown = list(due_times(items, round(NS_PER_S / rate)))
    pictures = [(item, due) for item, due in shown if not isinstance(item, Undecoded)]
    lost = len(shown) - len(pictures)
    frames, start_s, tick_s = _frames_of(path)
    if made.lossy:
        assert lost or container.cut_off, "damage that is not told"
        assert len(pictures) <= len(frames), f"{len(pictures)} pictures of {len(frames)}"
        assert len(pictures) > 0.2 * len(frames), f"{len(pictures)} pictures of {len(frames)}"
        return f"{len(pictures)} pictures, {lost} lost, cut off: {container.cut_off}"
    assert not container.cut_off, "said to be cut off"
    assert len(shown) == len(frames), f"{len(shown)} pictures, ffprobe {len(frames)}"
    assert not lost, f"{lost} undecodable"
    if not made.second and ".h264" not in made.name and ".m4v" not in made.name[-4:]:
        _compare_times([due for _, due in pictures], frames, start_s, tick_s)
    worst = _compare_pictures([item.picture for item, _ in pictures], path, made)
    return f"{len(pictures)} pictures, {worst:.2f} grey levels"


def _refused(error: Exception, rightly: bool) -> str:
    assert rightly, f"refused: {error}"
    return f"refused: {error}"


def _frames_of(path: Path) -> tuple[list[dict[str, Any]], float, float]:
    found = probe(path, "-select_streams", "V:0", "-show_frames", "-show_format", "-show_streams")
    start_s = float(found.get("format", {}).get("start_time", 0) or 0)
    tick_s = float(Fraction(found["streams"][0]["time_base"])) if found.get("streams") else 0.0
    return found.get("frames", []), start_s, tick_s


def _compare_times(
    dues_ns: list[int], frames: list[dict[str, Any]], start_s: float, tick_s: float
) -> None:
    names = ("pts_time", "best_effort_timestamp_time", "pkt_dts_time")
    stated = [float(next((f[n] for n in names if n in f), "nan")) for f in frames]
    apart = np.nan_to_num(np.abs(np.array(dues_ns) / NS_PER_S - (np.array(stated) - start_s)))
    assert np.all(apart <= tick_s + 2e-6), f"a picture is off by {apart.max() * 1000:.2f} ms"


def _compare_pictures(pictures: list[NDArray[np.uint8]], path: Path, made: Film) -> float:
    filters = ["-vf", "bwdif=mode=send_frame:deint=interlaced"] if "interlace" in made.filters \
        or made.name.startswith("dv") else []  # fmt: skip
    # Of damaged frames some decoders make as many pictures as they have threads.
    one = ["-threads", "1"]
    command = ["ffmpeg", "-v", "quiet", *one, "-i", str(path), *filters, "-fps_mode", "passthrough"]
    raw = run([*command, "-map", "0:V:0", "-f", "rawvideo", "-pix_fmt", "bgr24", "-"])
    stream = probe(path, "-select_streams", "V:0", "-show_streams")["streams"][0]
    turned = any(abs(each.get("rotation", 0)) == 90 for each in stream.get("side_data_list", ()))
    sides = (stream["width"], stream["height"]) if turned else (stream["height"], stream["width"])
    size = *sides, 3
    count = len(raw) // (size[0] * size[1] * 3)
    known = np.frombuffer(raw, np.uint8)[: count * size[0] * size[1] * 3].reshape(count, *size)
    assert count == len(pictures), f"{len(pictures)} pictures, ffmpeg {count}"
    worst = 0.0
    for ours, theirs in zip(pictures, known, strict=True):
        same = ours.shape == theirs.shape
        there = theirs if same else cv2.resize(theirs, ours.shape[1::-1], None, 0, 0, CUBIC)
        worst = max(worst, float(np.abs(ours.astype(np.int16) - there).mean()))
    assert worst <= GREY_LEVELS, f"{worst:.2f} grey levels from ffmpeg's"
    return worst


def _sound(made: Sound, path: Path) -> str:
    try:
        track, decoded = open_track(path), Decoded()
        parts = [block for block, _ in blocks(path, track.found, decoded)]
    except (AffettiError, UndecodableError, OSError) as error:
        return _refused(error, made.refused)
    assert not made.refused, "not refused"
    ours = np.concatenate(parts)
    found, loss = look(path), decoded.loss(track.found)
    known = _ffmpegs(path, found.rate_hz, found.channels)
    if made.lossy:
        assert loss is not None, "damage that is not told"
        return f"{len(ours) / found.rate_hz:.2f} s, and what is missing told"
    assert loss is None, f"said to have lost something: {loss}"
    frame = _frame(path)
    said = f"{found.samples} samples said, {len(ours)} there, ffmpeg {len(known)}"
    assert abs(found.samples - len(ours)) <= 2 * frame, said  # what an encoder adds at its ends
    assert abs(len(ours) - len(known)) <= frame, said
    if made.twice:  # where the second begins in the sound of the first, each says differently
        ours, known = ours[: len(ours) // 2 - frame], known[: len(ours) // 2 - frame]
    db = _apart_db(ours, known)
    assert db <= FAINTEST_DB, f"{db:.0f} dB from ffmpeg's"
    return f"{len(ours) / found.rate_hz:.3f} s, {db:.0f} dB"


def _frame(path: Path) -> int:
    """Return how many samples one frame of a codec has."""
    found = probe(path, "-select_streams", "a:0", "-show_frames", "-read_intervals", "%+1")
    return max((int(frame["nb_samples"]) for frame in found.get("frames", [])), default=0)


def _ffmpegs(path: Path, rate_hz: int, channels: int) -> NDArray[np.int16]:
    command = ["ffmpeg", "-v", "quiet", "-i", str(path), "-map", "0:a:0", "-f", "s16le"]
    raw = run([*command, "-c:a", "pcm_s16le", "-ar", str(rate_hz), "-"])
    return np.frombuffer(raw[: len(raw) // (2 * channels) * 2 * channels], "<i2").reshape(
        -1, channels
    )


def _apart_db(ours: NDArray[np.int16], known: NDArray[np.int16]) -> float:
    """Return the power of the difference, in decibels of full scale."""
    length = min(len(ours), len(known))
    apart = ours[:length].astype(np.float64) - known[:length]
    return float(10 * np.log10(max(np.mean(apart**2) / 32768**2, 1e-12)))


def outcomes(names: tuple[str, ...] = ()) -> Iterator[Outcome]:
    """Try those of some names, or all."""
    with tempfile.TemporaryDirectory(prefix="affetti-media-") as folder:
        for made in (*FILMS, *SOUNDS):
            if not names or made.name in names:
                yield trial(made, Path(folder))


def main(*names: str) -> int:
    """Print a table; return 1 where one is not as it has to be."""
    bad = {Film: 0, Sound: 0}
    for outcome in outcomes(names):
        print(f"{'good' if outcome.good else 'BAD':<5} {outcome.name:<28} {outcome.said}",  # noqa: T201
              flush=True)  # fmt: skip
        kind = Film if outcome.name in {film.name for film in FILMS} else Sound
        bad[kind] += not outcome.good
    print(f"{len(FILMS)} films, {bad[Film]} bad; {len(SOUNDS)} tracks, {bad[Sound]} bad")  # noqa: T201
    return int(any(bad.values()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
