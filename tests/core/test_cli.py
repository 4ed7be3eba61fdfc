import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from affetti.core.cli import affetti
from affetti.core.errors import ExitCode


def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "affetti", *args],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def commands(group: click.Group, path: str = "affetti") -> list[tuple[str, click.Command]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append((f"{path} {name}", command))
        if isinstance(command, click.Group):
            found += commands(command, f"{path} {name}")
    return found


def test_every_command_and_option_has_help() -> None:
    for path, command in commands(affetti):
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{path} {parameter.name}"


def test_help_shows_examples_a_line_each() -> None:
    for path, command in commands(affetti):
        shown = CliRunner().invoke(command, ["--help"]).output
        assert "\\b" not in shown, path
        for line in shown.splitlines():
            assert line.count(path) <= 1, line
            assert line.startswith(("Usage:", f"  {path}")) or f"  {path}" not in line, line


def test_every_command_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    for path, command in commands(affetti):
        if not isinstance(command, click.Group):
            assert path in readme, f"README.md does not mention `{path}`"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from affetti.core.cli import affetti\n"
        "assert CliRunner().invoke(affetti, ['--help']).exit_code == 0\n"
        "heavy = {'numpy', 'cv2', 'h5py', 'librosa', 'onnxruntime', 'sklearn', 'textual',"
        " 'sounddevice', 'msgspec', 'jinja2'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(affetti, ["nonsense"]).exit_code == ExitCode.USAGE


def test_an_error_is_one_message_with_a_hint_and_a_code(tmp_path: Path) -> None:
    done = run("info", str(tmp_path / "none.h5"))
    assert done.returncode == ExitCode.FILE_MISSING
    assert done.stdout == ""
    assert "none.h5" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2


@pytest.mark.campaign
def test_a_reader_that_goes_away_is_no_error(sample_session: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m affetti info {sample_session} --json | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("flag", ["--version", "-h", "--help"])
def test_the_group_answers_about_itself(flag: str) -> None:
    done = run(flag)
    assert done.returncode == 0
    assert "affetti" in done.stdout
