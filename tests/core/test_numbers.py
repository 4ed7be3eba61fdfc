"""Numbers that a person chooses: finite and within bounds, wherever they come from."""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

from affetti.analyzer import Parameters
from affetti.analyzer.measures.transitions import StickyChain
from affetti.core import settings
from affetti.core.choices import Chosen
from affetti.core.cli import affetti as commands
from affetti.core.errors import AffettiError, ExitCode, SettingsError
from affetti.core.numbers import Number
from tests.command_line import affetti

SENSELESS = ("nan", "-inf", "inf", "1e999", "-1", "1e-9", "1e300", "five", "", "0x10")


def numeric_options(group: click.Group) -> Iterator[tuple[click.Command, click.Option]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from numeric_options(command)
        elif command is not None:
            for option in command.params:
                numeric = isinstance(option.type, (click.types.FloatParamType, click.IntRange))
                if isinstance(option, click.Option) and numeric:
                    yield command, option


def test_no_numeric_option_of_any_command_takes_what_is_no_number_within_bounds() -> None:
    found = list(numeric_options(commands))
    assert len(found) >= 5
    for command, option in found:
        assert isinstance(option.type, Number), f"{command.name} {option.name}"
        for value in SENSELESS:
            if value in ("-1", "1e-9") and option.type.min <= float(value):
                continue  # a moment may be as early as that, and an offset goes either way
            with pytest.raises(click.BadParameter, match=r"not a number from .+ to .+\."):
                option.type.convert(value, option, click.Context(command))


def test_a_segment_too_short_for_any_estimate_is_refused_at_once(sample_session: Path) -> None:
    said = affetti("analyze", sample_session, "--segment", "1e-9")
    assert said.returncode == ExitCode.USAGE
    assert "0.1 to 604800" in said.stderr


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0, 10**400, True, "5"])
@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (kind, name)
        for kind in (Parameters, StickyChain, settings.VideoSettings, settings.LogSettings)
        for name, value in zip(kind.__struct_fields__, msgspec.structs.astuple(kind()), strict=True)
        if isinstance(value, (int, float))
    ],
)
def test_a_notebook_is_refused_what_a_command_is(
    kind: type[Chosen], field: str, number: object
) -> None:
    with pytest.raises(AffettiError) as caught:
        kind(**{field: number})
    assert field in caught.value.message
    assert " from " in caught.value.message


@pytest.mark.parametrize("line", ["sync_s = nan", "sync_s = inf", "part_s = 1e300", "part_mib = 0"])
def test_a_setting_out_of_bounds_names_file_line_and_bounds(tmp_path: Path, line: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"[log]\n{line}\n")
    with pytest.raises(SettingsError) as caught:
        settings.load(path)
    assert str(path) in caught.value.message
    assert line.partition(" ")[0] in caught.value.message
