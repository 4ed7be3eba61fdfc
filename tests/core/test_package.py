"""What is installed: one name, the same modules as the tree, and a face that costs nothing."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import affetti
from tests.conftest import small_session, started

pytestmark = pytest.mark.one_of_each

ROOT = Path(__file__).parents[2]
ROOMS = ("core", "models", "recorder", "analyzer", "sample_sessions")
FACES = ("affetti", *(f"affetti.{each}" for each in ("analyzer", "errors", "models", "recorder")))
HEAVY = (
    *("numpy", "cv2", "h5py", "librosa", "onnxruntime", "sklearn", "textual", "sounddevice"),
    *("msgspec", "jinja2", "click", "multiprocessing", "asyncio"),
)


def modules_of_tree() -> dict[str, Path]:
    found = {}
    for folder in ("affetti", *ROOMS):
        package = ("affetti",) if folder == "affetti" else ("affetti", folder)
        for path in (ROOT / folder).rglob("*.py"):
            inside = path.relative_to(ROOT / folder).with_suffix("").parts
            if "training" in inside:
                continue
            found[".".join((*package, *inside)).removesuffix(".__init__")] = path
    return found


def modules_of_wheel() -> dict[str, Path]:
    """Ask setuptools in a process of its own what it would build."""
    program = (
        "import runpy, setuptools\n"
        "from setuptools.dist import Distribution\n"
        "held = {}\n"
        "setuptools.setup = lambda **given: held.update(given)\n"
        "runpy.run_path('setup.py')\n"
        "print('\\n'.join(held['packages']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with (ROOT / "pyproject.toml").open("rb") as file:
        folders = tomllib.load(file)["tool"]["setuptools"]["package-dir"]
    found = {}
    for package in done.stdout.split():
        room = max((name for name in folders if f"{package}.".startswith(f"{name}.")), key=len)
        inside = package.removeprefix(room).strip(".").replace(".", "/")
        for path in (ROOT / folders[room] / inside).glob("*.py"):
            found[f"{package}.{path.stem}".removesuffix(".__init__")] = path
    return found


def test_the_wheel_holds_the_modules_of_the_tree_and_each_under_one_name() -> None:
    wheel = modules_of_wheel()
    assert wheel == modules_of_tree()
    assert len(set(wheel.values())) == len(wheel)
    assert {name.partition(".")[0] for name in wheel} == {"affetti"}


def test_the_wheel_holds_what_lies_beside_the_modules() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]
    held = {
        path
        for name, module in modules_of_wheel().items()
        for pattern in (*patterns["*"], *patterns.get(name, ()))
        for path in module.parent.glob(pattern)
    }
    for room in ROOMS[:-1]:
        for path in (ROOT / room).rglob("*.*"):
            if (
                path.is_file()
                and path.suffix not in (".py", ".pyc")
                and "training" not in path.parts
            ):
                assert path in held, path
    assert ROOT / "sample_sessions" / "sample.h5" in held


@pytest.mark.campaign
def test_what_is_imported_is_declared() -> None:
    """Nothing works only because another package happens to bring what it needs."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(name for each in extras.values() for name in each)]
    declared = {re.split(r"[^\w.-]", name)[0].lower().replace("_", "-") for name in wanted}
    providers = packages_distributions()
    for name, path in modules_of_wheel().items():
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for top in {module.partition(".")[0] for module in modules}:
                if top in sys.stdlib_module_names or top == "affetti" or top not in providers:
                    continue
                brought = {each.lower().replace("_", "-") for each in providers[top]}
                assert brought & declared, f"{name} imports {top}"


@pytest.mark.campaign
def test_what_only_training_needs_is_not_in_the_wheel() -> None:
    assert not [name for name in modules_of_wheel() if "training" in name.split(".")]
    assert (ROOT / "models" / "training").is_dir()


@pytest.mark.campaign
def test_what_is_in_the_wheel_never_needs_training_to_be_imported() -> None:
    for name, path in modules_of_wheel().items():
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                assert "models.training" not in (node.module or ""), name


@pytest.mark.campaign
def test_an_installed_module_is_the_file_of_the_tree() -> None:
    """Each file is imported once, under the one name that the wheel gives it."""
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    print(importlib.import_module(name).__file__)\n"
    )
    expected = {n: p for n, p in modules_of_tree().items() if not _starts_a_command(n)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, *expected],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert [Path(line) for line in done.stdout.split()] == list(expected.values())


def _starts_a_command(name: str) -> bool:
    return name == "affetti.__main__" or name.startswith("affetti.sample_sessions.")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    rooms = "|".join(("affetti", "tests", *ROOMS))
    named = re.findall(rf"[`(]((?:{rooms})/[\w./]*)[`)]", (ROOT / page).read_text())
    assert named or page == "CHANGELOG.md"
    for path in named:
        assert (ROOT / path).exists(), path


@pytest.mark.campaign
def test_nothing_is_imported_by_the_name_of_its_folder() -> None:
    for path in sorted(ROOT.glob("*/**/*.py")):
        if path.relative_to(ROOT).parts[0] not in ("affetti", "tests", *ROOMS):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.ImportFrom) and node.level:
                imported = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            tops = {name.partition(".")[0] for name in imported}
            assert not tops & set(ROOMS), f"{path}: {tops}"


@pytest.mark.parametrize("name", FACES)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    face = importlib.import_module(name)
    assert list(face.__all__) == sorted(face.__all__)
    for each in face.__all__:
        found = getattr(face, each)
        assert not inspect.ismodule(found), each
        if inspect.isclass(found) or inspect.isroutine(found):
            assert found.__doc__, each


def test_the_face_of_the_library_is_a_dozen_names() -> None:
    assert affetti.__all__ == [
        "AffettiError",
        "Analysis",
        "Emotion",
        "Expression",
        "Session",
        "analyze",
        "check",
        "open",
        "recover",
        "replay",
        "report",
        "unlock",
        "verify",
    ]
    assert set(affetti.__all__) <= set(dir(affetti))


def test_what_is_not_offered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        _ = affetti.analyse  # type: ignore[attr-defined]


def test_rooms_are_reached_from_the_face() -> None:
    assert affetti.errors.DiskFull.code == 9
    assert affetti.analyzer.Parameters
    assert affetti.models.model("face_expression").task
    assert affetti.recorder.Plan


def test_importing_affetti_imports_nothing_else() -> None:
    program = (
        "import sys; before = set(sys.modules); import affetti\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-I", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(done.stdout.split()) & set(HEAVY)
    assert {"affetti", "affetti.lazy"} <= set(done.stdout.split())
    assert not [m for m in done.stdout.split() if m.startswith("affetti.") and m != "affetti.lazy"]


def test_a_recording_is_opened_and_checked_through_the_face(sample_session: Path) -> None:
    with affetti.open(sample_session) as session:
        assert isinstance(session, affetti.Session)
        assert session.info.duration_s > 1
    with pytest.raises(affetti.errors.FileMissing) as caught:
        affetti.open("none.h5")
    assert isinstance(caught.value, affetti.AffettiError)


@pytest.mark.campaign
def test_a_broken_off_recording_is_recovered_and_read_through_the_face(
    write_log: Callable[..., Path],
) -> None:
    target = write_log()
    (report,) = affetti.recover(target.parent)
    assert report.path == target
    assert not [one for one in affetti.check(target) if one.rule == "opens"]
    with affetti.open(target) as session:
        analysis = affetti.analyze(session)
        assert analysis.info.session_id == session.session_id
        assert len(list(affetti.replay(session))) == len(list(affetti.replay(target)))
    assert affetti.verify(target).compared is not None
    assert affetti.report(target).exists()


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in ("affetti", "core", "models", "recorder", "analyzer", "numpy", "pickle", "socket"):
        (folder / f"{name}.py").write_text(
            f"open('/dev/stderr', 'w').write('stranger {name} ran')\nraise SystemExit(99)\n"
        )
    return folder


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["info", "SAMPLE"], ["models", "list"], ["analyze", "SAMPLE", "--jobs", "2"]],
)
def test_a_stranger_in_the_current_folder_is_never_run(
    hostile: Path, write_log: Callable[..., Path], tmp_path: Path, arguments: list[str]
) -> None:
    from affetti.core.recording.sealing import seal

    session = tmp_path
    if "SAMPLE" in arguments:
        session = seal(write_log()).path
    if "analyze" in arguments:  # many are analyzed in processes of their own
        other = small_session()
        other[0] = (started(session_id="f" * 32), b"")
        seal(write_log(other, "other.h5", session_id="f" * 32))
        session = session.parent
    words = [str(session) if word == "SAMPLE" else word for word in arguments]
    script = Path(sys.executable).with_name("affetti")
    commands = [[sys.executable, "-P", "-m", "affetti", *words]]
    if script.exists():
        commands.append([str(script), *words])
    for command in commands:
        done = subprocess.run(command, cwd=hostile, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "stranger" not in done.stderr
