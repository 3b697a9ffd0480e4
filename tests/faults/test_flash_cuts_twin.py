"""Power fails inside a flash operation of a real process with the twin's flash; the next process finds all."""

import json
import os
import signal
from pathlib import Path

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

SCRIPT = Path(__file__).parent / "device_scripts" / "journal_process.py"
CUT_STATUS = -signal.SIGUSR1  # nothing is unwound
STRIDE = 1 if os.environ.get("SCANLATCH_FULL") else 13
RECORDS, AFTERWARDS = 30, 4


def _life(folder: Path, salt: int, records: int, cut: str = "") -> tuple[int, list[list[str]]]:
    """Run one life; its exit status and the lines it printed, as words."""
    done = interpreter.run(
        [str(SCRIPT), str(salt), str(records)],
        interpreter.search_path(places.firmware()),
        heap="160K",
        environment={"SCANLATCH_TWIN": str(folder), "SCANLATCH_TWIN_CUT": cut},
    )
    assert done.returncode in (0, CUT_STATUS), done.stdout + done.stderr
    return done.returncode, [line.split() for line in done.stdout.splitlines()]


def _prepared(folder: Path) -> None:
    folder.mkdir()
    (folder / "twin.json").write_text(json.dumps({"sectors": 8}))
    _life(folder, 0, 25)


def _check(kept: dict[int, str], freed: int, lines: list[list[str]]) -> None:
    found = {int(seq): digest for word, seq, *rest in lines if word == "found" for digest in rest}
    assert list(found) == sorted(found)
    expected = {seq: digest for seq, digest in kept.items() if seq > freed}
    assert {seq: found.get(seq) for seq in expected} == expected
    assert len([seq for seq in found if seq > max(kept)]) <= 1


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["lost", "half", "garbage", "unstable"])
def test_the_next_process_finds_every_kept_record(tmp_path: Path, kind: str) -> None:
    start = tmp_path / "start"
    _prepared(start)
    nth, cuts = 1, 0
    while True:
        folder = tmp_path / str(nth)
        folder.mkdir()
        for file in start.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        status, lines = _life(folder, 1, RECORDS, f"{nth}:{kind}")
        kept = {int(seq): rest[0] for word, seq, *rest in lines if word in ("kept", "found")}
        freed = max((int(seq) for word, seq, *_ in lines if word == "freed"), default=0)
        for salt in (2, 3):
            _, lines = _life(folder, salt, AFTERWARDS)
            if kept:
                _check(kept, freed, lines)
            kept |= {int(seq): rest[0] for word, seq, *rest in lines if word in ("kept", "found")}
            freed = max([freed, *(int(seq) for word, seq, *_ in lines if word == "freed")])
        assert not (folder / "violations.jsonl").exists()
        if status == 0:
            break
        nth += STRIDE
        cuts += 1
    assert cuts * STRIDE > RECORDS
