import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.models.evaluation.face.data import PRIVATE, PUBLIC, TRAINING, Faces, one_hot
from affetti.models.manifest import model
from affetti.models.training.face.sources import (
    SHEETS,
    SOURCES,
    divided,
    load_sheets,
    load_sources,
    part_of,
    without_copies,
)


@pytest.fixture
def folder(write_fer2013: Callable[..., Path]) -> Path:
    """A folder with all three sources, of pictures drawn at random: 64, 96 and 64 faces."""
    chance = np.random.default_rng(0)
    usage = np.repeat(np.array([0, 1, 2], np.uint8), [40, 12, 12])
    path = write_fer2013(_drawn(64, 48, chance), usage)
    for name, faces in zip(SHEETS, (96, 64), strict=True):
        _write_sheets(path.parent / f"{name}.zip", _drawn(faces, 64, chance))
    return path.parent


def _drawn(faces: int, side_px: int, chance: np.random.Generator) -> np.ndarray:
    coarse = chance.integers(20, 256, (faces, 8, 8), np.uint8)
    size = (side_px, side_px)
    return np.stack([cv2.resize(face, size, interpolation=cv2.INTER_CUBIC) for face in coarse])


def _write_sheets(path: Path, faces: np.ndarray, a_sheet: int = 64) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        labels = io.BytesIO()
        np.save(labels, np.arange(len(faces), dtype=np.uint8) % 7)
        archive.writestr("labels.npy", labels.getvalue())
        for start in range(0, len(faces), a_sheet):
            sheet = np.zeros((a_sheet, 64, 64), np.uint8)
            sheet[: len(faces) - start] = faces[start : start + a_sheet]
            grid = sheet.reshape(-1, 32, 64, 64).swapaxes(1, 2).reshape(-1, 32 * 64)
            lossless = [cv2.IMWRITE_WEBP_QUALITY, 101]
            webp = cv2.imencode(".webp", grid, lossless)[1].tobytes()
            archive.writestr(f"faces_{start:06}.webp", webp)


def test_faces_are_read_off_their_sheets_in_order(tmp_path: Path):
    drawn = _drawn(70, 64, np.random.default_rng(1))
    _write_sheets(tmp_path / "faces.zip", drawn)
    faces = load_sheets(tmp_path / "faces.zip")

    expected = [cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA) for face in drawn]
    np.testing.assert_array_equal(faces.images, expected)
    np.testing.assert_array_equal(faces.labels, np.arange(70) % 7)
    np.testing.assert_array_equal(faces.targets.argmax(axis=1), faces.labels)


@pytest.mark.parametrize("content", [None, b"no archive", "labels alone", "a label too many"])
def test_sheets_that_cannot_be_read_are_named(content: bytes | str | None, tmp_path: Path):
    path = tmp_path / "faces.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        _write_sheets(path, _drawn(32, 64, np.random.default_rng(1)), a_sheet=32)
        _rewritten(path, faces=content == "a label too many")

    with pytest.raises(AffettiError, match=r"faces\.zip") as raised:
        load_sheets(path)

    assert raised.value.code == ExitCode.DATA


def _rewritten(path: Path, faces: bool) -> None:
    """Give a zip of 32 faces 33 labels; without its faces, if they are not to stay."""
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist() if faces}
    labels = io.BytesIO()
    np.save(labels, np.zeros(33, np.uint8))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (kept | {"labels.npy": labels.getvalue()}).items():
            archive.writestr(name, content)


def test_a_face_belongs_to_one_part_wherever_it_lies():
    faces = _drawn(2000, 48, np.random.default_rng(2))
    parts, again = part_of(faces), part_of(faces[::-1])[::-1]

    np.testing.assert_array_equal(parts, again)
    assert np.mean(parts == PRIVATE) == pytest.approx(0.12, abs=0.03)
    assert np.mean(parts == PUBLIC) == pytest.approx(0.06, abs=0.02)
    assert np.mean(parts == TRAINING) == pytest.approx(0.82, abs=0.03)


def test_copies_of_what_is_scored_are_not_learned_from():
    images = _drawn(400, 48, np.random.default_rng(3))
    faces = Faces(images, np.zeros(400, np.int64), one_hot(np.zeros(400, np.int64)))
    one, other = divided("faces30k", faces.chosen(np.arange(400) < 200)), divided("faces12k", faces)
    darker = Faces(
        (other.private.images[:3] * 0.8).astype(np.uint8),
        other.private.labels[:3],
        other.private.targets[:3],
    )
    seen = Faces(
        np.concatenate([other.training.images, darker.images]),
        np.concatenate([other.training.labels, darker.labels]),
        np.concatenate([other.training.targets, darker.targets]),
    )
    first, second = without_copies([one, replace(other, training=seen)])

    assert len(first.training) == len(one.training)
    assert len(second.training) == len(other.training)
    np.testing.assert_array_equal(second.copied, np.arange(len(second.private)) < 3)


def test_all_sources_are_found_in_one_folder(folder: Path):
    sources = load_sources(folder)

    assert [source.name for source in sources] == list(SOURCES)
    assert len(sources[0].training) == 40
    assert sum(len(getattr(sources[1], p)) for p in ("training", "public", "private")) == 96


torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")

import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

from affetti.models.face.reading import ExpressionNetwork  # noqa: E402
from affetti.models.training.face.heads import (  # noqa: E402
    Answer,
    Heads,
    Prefix,
    export_heads,
    loss,
)
from affetti.models.training.face.heads_evaluation import evaluate_heads, tempered  # noqa: E402
from affetti.models.training.face.heads_training import (  # noqa: E402
    ANSWER,
    RECIPES,
    HeadsRecipe,
    HeadsRun,
    before_a_wall,
    train_heads,
)

SHIPPED = "face_expression"
USUAL = np.zeros(256, np.float32)


class Interrupted(Exception):  # noqa: N818  it is no error
    """Raised where a person would press Ctrl+C."""


@pytest.fixture
def begun() -> Heads:
    """A network with the body of the one that is shipped, and heads drawn at random."""
    torch.manual_seed(0)
    network = Heads(4)
    network.begin(model(SHIPPED).path)
    return network.eval()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HeadsRecipe:
    """Training in two short epochs, under the name `short`; the training folder is a new one."""
    shares = dict.fromkeys(SOURCES, 0.3)
    recipe = HeadsRecipe(frozen=10, epochs=2, small_until=1.0, batch=16, shares=shares)
    monkeypatch.setitem(RECIPES, "short", recipe)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return recipe


def test_the_body_is_the_one_of_the_shipped_network(begun: Heads, tmp_path: Path):
    weights, bias = _shipped_head()
    with torch.no_grad():
        begun.head.weight.copy_(torch.tensor(weights))
        begun.head.bias.copy_(torch.tensor(bias))
    faces = _drawn(8, 48, np.random.default_rng(4))
    export_heads(begun, tmp_path / "heads.onnx", ANSWER, USUAL)
    ours, features = _read(tmp_path / "heads.onnx", faces)
    theirs, seen = ExpressionNetwork(SHIPPED).read(faces)

    np.testing.assert_allclose(ours, theirs, atol=0.005)
    np.testing.assert_allclose(features, seen, atol=0.02)


def _shipped_head() -> tuple[np.ndarray, np.ndarray]:
    graph = onnx.load(model(SHIPPED).path).graph
    values = {
        tensor.name.removesuffix(".half"): numpy_helper.to_array(tensor)
        for tensor in graph.initializer
    }
    (head,) = (node for node in graph.node if node.op_type == "Gemm")
    return values[head.input[1]], values[head.input[2]]


def _read(path: Path, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    neutral, trust = np.zeros((1, 256), np.float32), np.zeros(1, np.float32)
    inputs = {"faces": _grey(faces).numpy(), "neutral": neutral, "trust": trust}
    return session.run(["expressions", "features"], inputs)


def _grey(faces: np.ndarray):
    return torch.from_numpy(faces[:, np.newaxis]).float()


@pytest.mark.parametrize("content", [None, b"no network"])
def test_a_file_without_a_body_to_begin_with_is_named(content: bytes | None, tmp_path: Path):
    if content is not None:
        (tmp_path / "face.onnx").write_bytes(content)
    with pytest.raises(AffettiError, match=r"face\.onnx"):
        Heads(4).begin(tmp_path / "face.onnx")


def test_another_network_is_not_taken_for_a_beginning():
    with pytest.raises(AffettiError, match=r"face_expression_paper\.onnx"):
        Heads(4).begin(model("face_expression_paper").path)


def test_the_written_network_gives_distributions_and_what_they_come_from(
    begun: Heads, tmp_path: Path
):
    faces = _drawn(3, 48, np.random.default_rng(5))
    answer = Answer("arithmetic", joint=0.25, temperature=0.8)
    export_heads(begun, tmp_path / "heads.onnx", answer, USUAL, mirrored=True)
    expressions, features = _read(tmp_path / "heads.onnx", faces)
    with torch.no_grad():
        seen, mirrored = begun.features(_grey(faces)), begun.features(_grey(faces).flip(3))
        mean = (seen + mirrored) / 2
        expected = answer(begun.answers(mean))

    np.testing.assert_allclose(features, mean, atol=0.01)
    np.testing.assert_allclose(expressions, expected, atol=0.005)
    np.testing.assert_allclose(expressions.sum(axis=1), 1, atol=1e-5)
    mirror_image, _ = _read(tmp_path / "heads.onnx", faces[:, :, ::-1].copy())
    np.testing.assert_allclose(expressions, mirror_image, atol=1e-5)


def test_a_written_network_moves_a_face_by_how_far_a_neutral_one_lies_from_the_usual(
    begun: Heads, tmp_path: Path
):
    faces = _drawn(2, 48, np.random.default_rng(9))
    usual = np.linspace(0, 1, 256, dtype=np.float32)
    export_heads(begun, tmp_path / "heads.onnx", Answer(), usual)
    session = onnxruntime.InferenceSession(
        tmp_path / "heads.onnx", providers=["CPUExecutionProvider"]
    )
    neutral = np.full((1, 256), 0.25, np.float32)
    inputs = {"faces": _grey(faces).numpy(), "neutral": neutral}
    moved, features = session.run(
        ["expressions", "features"], inputs | {"trust": np.array([0.5], np.float32)}
    )
    with torch.no_grad():
        shifted = torch.from_numpy(features) + 0.5 * (torch.from_numpy(usual) - 0.25)
        expected = Answer()(begun.answers(shifted))
    np.testing.assert_allclose(moved, expected, atol=0.005)


def test_frozen_blocks_and_the_rest_are_the_whole_network(begun: Heads):
    faces = _grey(_drawn(3, 48, np.random.default_rng(6)))
    for frozen in (0, 4, 10):
        begun.freeze(frozen)
        begun.eval()
        with torch.no_grad():
            parts, whole = begun.rest(Prefix(begun)(faces)), begun(faces)
        np.testing.assert_allclose(parts, whole, atol=1e-3)


def test_means_of_heads_are_distributions_between_them():
    logits = torch.tensor([[[2.0, 0, 0, 0, 0, 0, 0], [0, 2.0, 0, 0, 0, 0, 0], [0.0] * 7]])
    first, second, joint = torch.softmax(logits, dim=2)[0]
    arithmetic, geometric = Answer("arithmetic")(logits)[0], Answer("geometric")(logits)[0]

    np.testing.assert_allclose(arithmetic, (first + second) / 2, rtol=1e-5)
    expected = torch.sqrt(first * second)
    np.testing.assert_allclose(geometric, expected / expected.sum(), rtol=1e-5)
    for mean in ("arithmetic", "geometric"):
        np.testing.assert_allclose(Answer(mean, joint=1.0)(logits)[0], joint, rtol=1e-5)
        flatter = Answer(mean, temperature=2.0)(logits)[0]
        assert flatter.max() < Answer(mean)(logits)[0].max()


def test_each_face_teaches_its_own_head_alone():
    logits = torch.zeros(2, 4, 7, requires_grad=True)
    targets = torch.eye(7)[:2]
    loss(logits, targets, torch.tensor([0, 2])).backward()

    taught = logits.grad.abs().sum(dim=2) > 0
    assert taught.tolist() == [[True, False, False, False], [False, False, True, False]]


def test_the_temperature_that_was_too_high_for_sources_left_out_is_lowered():
    chance = np.random.default_rng(7)
    labels = chance.integers(0, 7, 4000)
    right = np.where(chance.random(4000) < 0.9, labels, (labels + 1) % 7)
    unsure = np.repeat(np.eye(7, dtype=np.float32)[right][:, np.newaxis], 3, axis=1)

    answer = tempered(Answer(), {"faces30k": (unsure, labels), "faces12k": (unsure, labels)})
    said = answer(torch.from_numpy(unsure)).numpy().max(axis=1)

    assert answer.temperature < 0.5
    assert said.mean() == pytest.approx(0.9, abs=0.05)


def test_what_was_blacked_out_becomes_a_wall():
    face = np.zeros((48, 48), np.uint8)
    face[8:40, 8:40] = 120
    changed = before_a_wall(face, np.random.default_rng(8))

    np.testing.assert_array_equal(changed[8:40, 8:40], 120)
    assert len(np.unique(changed[face == 0])) == 1
    assert changed[0, 0] > 0


def test_a_training_on_sources_goes_on_where_it_was(
    folder: Path, tmp_path: Path, short: HeadsRecipe
):
    seen: list[int] = []

    def interrupt(done: int, total: int, what: str) -> None:
        seen.append(done)
        assert all(name in what for name in SOURCES)
        if len(seen) == 1:
            raise Interrupted

    out = tmp_path / "heads.onnx"
    with pytest.raises(Interrupted):
        train_heads(folder, "short", out, interrupt)
    assert not out.exists()
    train_heads(folder, "short", out, interrupt)

    assert seen == list(range(1, short.epochs + 1))
    figures = evaluate_heads(folder, out)
    assert list(figures.sources) == list(SOURCES)
    assert all(0 <= scores.accuracy7 <= 1 for scores in figures.sources.values())


def test_frozen_blocks_are_as_they_were_after_training(folder: Path, short: HeadsRecipe):
    run = HeadsRun(short, load_sources(folder), model(SHIPPED).path, folder / "short.pt")
    before = run.network.trunk.blocks[9].second.weight.clone()
    last = run.network.trunk.blocks[10].second.weight.clone()
    run.train_one_epoch()

    assert torch.equal(run.network.trunk.blocks[9].second.weight, before)
    assert not torch.equal(run.network.trunk.blocks[10].second.weight, last)


def test_recipes_leave_each_source_out_once():
    left = [set(SOURCES) - set(recipe.sources) for recipe in RECIPES.values()]

    assert sorted(map(sorted, left)) == [[], *sorted([name] for name in SOURCES)]
