"""At a terminal, whoever sits there is asked for a passphrase, and told when it was not it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from affetti.core.custody import boxes, keys, vault
from affetti.core.custody.vault import Lock

pty = pytest.importorskip("pty")
WORDS = "otter lamp violet nine"


def said_at_a_terminal(words: list[str], typed: Iterator[str], vaults: Path) -> tuple[int, str]:
    """Run `affetti` at a terminal of its own; answer what it asks."""
    child, terminal = pty.fork()
    if not child:
        environment = {**os.environ, "AFFETTI_VAULTS": str(vaults), "NO_COLOR": "1"}
        environment.pop(vault.PASSPHRASE_FILE, None)
        command = [sys.executable, "-P", "-m", "affetti", *words]
        os.execve(sys.executable, command, environment)  # noqa: S606  no shell is needed
    said, answered = b"", 0
    try:
        while piece := os.read(terminal, 4096):
            said += piece
            if said.count(b"Passphrase of clinic:") > answered:
                answered += 1
                os.write(terminal, next(typed).encode() + b"\n")
    except OSError:  # which is how Linux says that the other end is closed
        pass
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode(errors="replace")


@pytest.mark.campaign
@pytest.mark.parametrize(("typed", "code"), [(["not these", WORDS], 0), (["a", "b", "c"], 20)])
def test_whoever_sits_at_a_terminal_is_asked_and_has_three_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str], code: int
) -> None:
    monkeypatch.setenv("AFFETTI_VAULTS", str(tmp_path / "vaults"))
    keys.drop()
    vault.new("clinic", Lock("passphrase", WORDS), n=16)
    made = keys.new_key([vault.vault("clinic").public])
    boxes.write(tmp_path / "a.txt", b"words", made)
    keys.drop()
    command = ["vault", "open", str(tmp_path / "a.txt.vault"), "--output", str(tmp_path / "copy")]
    ended, said = said_at_a_terminal(command, iter(typed), tmp_path / "vaults")
    assert ended == code
    assert "does not open the vault clinic" in said
    assert not any(words in said for words in typed if len(words) > 1)
    assert (tmp_path / "copy").exists() == (code == 0)
