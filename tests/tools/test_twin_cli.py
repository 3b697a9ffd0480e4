"""`scanlatch twin` is run by hand: what a person types, and sees."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scanlatch_tools import site

_MAIN = "from scanlatch_tools.cli import main; main()"


@contextmanager
def by_hand(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    terminal = subprocess.Popen(
        [sys.executable, "-c", _MAIN, "twin", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
    )
    try:
        yield terminal
    finally:
        terminal.kill()
        terminal.communicate()


def types(terminal: subprocess.Popen[str], line: str) -> None:
    assert terminal.stdin
    terminal.stdin.write(line + "\n")
    terminal.stdin.flush()


def sees(terminal: subprocess.Popen[str], wanted: str) -> None:
    """Reads on until a line says it; pytest's limit of time bounds this."""
    assert terminal.stdout
    seen: list[str] = []
    for line in terminal.stdout:
        seen.append(line)
        if wanted in line:
            return
    raise AssertionError(f"{wanted!r} not in:\n{''.join(seen)}")


def test_a_terminal_without_a_site_says_what_to_do(tmp_path: Path):
    with by_hand(tmp_path / "twin") as terminal:
        sees(terminal, "--site FOLDER")
        assert terminal.wait(10) == 1


def test_codes_typed_by_hand_show_light_and_tone_whatever_the_engine(tmp_path: Path):
    site.create(tmp_path / "site", ["clinic-7"])
    with by_hand(tmp_path / "twin", "--site", tmp_path / "site", "--engine", "honeywell") as terminal:
        sees(terminal, "it is in the registry")
        sees(terminal, ":quit")
        sees(terminal, "light")
        types(terminal, "83386520001941653320")
        sees(terminal, "Hz")
        types(terminal, "0106901234567892" + "21" + "7" * 400)  # longer than any file's name
        sees(terminal, "Hz")
        types(terminal, ":power")
        sees(terminal, "power cut")
        sees(terminal, "light")
        types(terminal, ":quit")
        assert terminal.wait(10) == 0
    with by_hand(tmp_path / "twin", "--engine", "ssi") as terminal:
        sees(terminal, "was enrolled for honeywell")
        assert terminal.wait(10) == 1
