from pathlib import Path

import numpy as np
import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.models.runtime import onnxruntime

torch = pytest.importorskip("torch")
from affetti.models.training.face.recognition import (  # noqa: E402
    BLOCKS,
    DESCRIPTOR,
    FILE_NAME,
    STEM_CHANNELS,
    Recognition,
    settle,
)
from affetti.models.training.face.recognition_conversion import Descriptor, convert  # noqa: E402


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like dlib's, with weights drawn at random."""
    chance = np.random.default_rng(0)

    def tensor(sizes: tuple[int, ...], *means: float) -> bytes:
        """Numbers about each of some means in turn, an equal share of them about each."""
        about = np.repeat(means, int(np.prod(sizes)) // len(means))
        values = chance.normal(about, 0.02).astype("<f4")
        written = (2, *sizes, *[1] * (4 - len(sizes)))  # the version of the format first
        return b"".join(map(number, written)) + values.tobytes()

    def layer(channels: int, width: int, kernel: int) -> bytes:
        filters = tensor(((channels * kernel**2 + 1) * width,), 0.0)
        scales_and_offsets = tensor((2 * width,), 1.0, 0.0)
        return b"con_4" + filters + b"more affine_" + scales_and_offsets + b"more"

    found, channels = [layer(3, STEM_CHANNELS, 7)], STEM_CHANNELS
    for width, _ in BLOCKS:
        found += [layer(channels, width, 3), layer(width, width, 3)]
        channels = width
    last = b"fc_no_bias_2" + tensor((channels, DESCRIPTOR), 0.0)
    made = tmp_path_factory.mktemp("dlib") / FILE_NAME
    made.write_bytes(b"loss_metric_2" + b"".join(found) + last)
    return made


def number(value: int) -> bytes:
    length = (value.bit_length() + 7) // 8
    return bytes([length]) + value.to_bytes(length, "little")


def test_the_network_takes_its_weights_from_a_file_of_dlib_s(path: Path):
    network = Recognition()
    last = network.load(path)
    with torch.no_grad():
        seen = network.eval()(torch.rand(2, 3, 150, 150))
    assert seen.shape[:2] == (2, BLOCKS[-1][0])
    assert last.shape == (BLOCKS[-1][0], DESCRIPTOR)
    assert float(network.stem_norm.weight.detach().mean()) == pytest.approx(1.0, abs=0.02)
    assert float(network.blocks[0].first.weight.std()) == pytest.approx(0.02, rel=0.05)


def test_a_grey_picture_is_read_as_one_with_three_equal_colours(path: Path):
    grey, colour = Recognition(1, blocks=1), Recognition(3, blocks=1)
    grey.load(path)
    colour.load(path)
    picture = torch.rand(1, 1, 96, 96)
    mean = torch.tensor((122.782, 117.001, 104.298)).view(1, 3, 1, 1)
    as_colour = picture + (mean.mean() - mean) / 256
    with torch.no_grad():
        assert torch.allclose(grey.eval()(picture), colour.eval()(as_colour), atol=1e-5)


def test_settling_normalisations_changes_no_answer(path: Path):
    network = Recognition(1, blocks=4, padded=True)
    network.load(path)
    pictures = torch.rand(8, 1, 96, 96)
    with torch.no_grad():
        before = network.eval()(pictures)
        settle(network, pictures)
        assert torch.allclose(network(pictures), before, atol=1e-4)
        network.train()
        assert torch.allclose(network(pictures), before, atol=1e-3)


def test_the_whole_network_is_converted_with_its_distances(path: Path, tmp_path: Path):
    pytest.importorskip("onnx")
    target = tmp_path / "whole.onnx"
    convert(path, target)
    faces = 255 * torch.rand(2, 3, 150, 150)
    with torch.no_grad():
        expected = Descriptor(path).eval()(faces).numpy()
    session = onnxruntime().InferenceSession(target.read_bytes())
    (found,) = session.run(["descriptors"], {"faces": faces.numpy()})
    assert found.shape == (2, DESCRIPTOR)
    assert np.linalg.norm(found[0] - found[1]) == pytest.approx(
        np.linalg.norm(expected[0] - expected[1]), rel=1e-3, abs=1e-3
    )


@pytest.mark.parametrize(
    ("content", "code"), [(None, ExitCode.FILE_MISSING), (b"con_4 of another", ExitCode.DAMAGED)]
)
def test_another_file_is_refused(tmp_path: Path, content: bytes | None, code: ExitCode):
    other = tmp_path / FILE_NAME
    if content is not None:
        other.write_bytes(content)
    with pytest.raises(AffettiError) as caught:
        Recognition().load(other)
    assert caught.value.code == code


def test_a_file_cut_short_is_refused(path: Path, tmp_path: Path):
    short = tmp_path / FILE_NAME
    short.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(AffettiError, match="is not dlib's"):
        Recognition().load(short)
