"""A terminal is listened to at work: sentences, a cable that goes and comes, and an end that stops nothing."""

import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools.monitor import cli, texts
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard

from tests.documents import BIN
from tests.tools import provision_case as case
from tests.tools.conftest import DOCTORED
from tests.tools.flash_case import until

LIMIT_S = 60


class Monitor:
    """`scanlatch monitor --json`, running."""

    def __init__(self, *arguments: object) -> None:
        self.rows: list[dict[str, Any]] = []
        self._process = subprocess.Popen(
            [BIN / "scanlatch", "monitor", "--json", *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.rows.append(json.loads(line))

    def wait(self, what: str, **wanted: Any) -> None:
        """Until such a row has come."""

        def told() -> bool:
            rows = [{**row.get("told", {}), **row} for row in list(self.rows)]
            return any(
                row["what"] == what and all(row.get(name) == value for name, value in wanted.items()) for row in rows
            )

        until(told, LIMIT_S)

    def end(self) -> int:
        """By Ctrl-C; its exit status."""
        self._process.send_signal(signal.SIGINT)
        status = self._process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)
        return status


def test_a_terminal_is_heard_over_a_cable_that_goes_and_comes_and_works_on(
    stage: Stage, board: BareBoard, codes: Iterator[str]
) -> None:
    monitor = Monitor("--port", board.port)
    monitor.wait("cable", there=True)
    board.pull_cable()
    monitor.wait("cable", there=False)
    board.put_cable_in()
    monitor.wait("log", event="engine", state="ready")
    monitor.wait("log", event="link", online=True)
    follower = Monitor("--device", DOCTORED, "--site", stage.site.folder)
    follower.wait("status", online=True)
    case.sold(board, DOCTORED, next(codes))
    follower.wait("record", outcome="accepted")
    starts = sum(line["what"] == "start" for line in board.trace())
    assert (monitor.end(), follower.end()) == (0, 0)
    case.sold(board, DOCTORED, next(codes))
    assert sum(line["what"] == "start" for line in board.trace()) == starts, "it was stopped or restarted"


def test_lines_are_heard_in_pieces_torn_and_mixed_with_what_is_no_event(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scanlatch_tools.monitor import over_cable

    line, device = pty.openpty()
    heard: list[tuple[str, dict[str, Any]]] = []

    def tell(name: str, **facts: Any) -> None:
        heard.append((name, facts))
        if name == "cable":
            event = b'{"event": "link", "online": true}'
            os.write(line, b"\r\n".join((event, b'{"event": ', b"Traceback (most", b"\xff", b"[1]", b"end", b"")))
        if facts.get("text") == "end":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        over_cable.listen(os.ttyname(device), tell)
    assert [name for name, _ in heard] == ["cable", "log", "line", "line", "line", "line", "line"]
    os.close(line)


@pytest.mark.parametrize(
    ("told", "level", "text"),
    [
        ({"event": "started", "device": "d", "boot": 3, "fault": None}, "ok", "d started for the 3. time"),
        ({"event": "started", "device": "d", "boot": 3, "fault": "store"}, "bad", "refuses to scan: store"),
        ({"event": "link", "online": True, "cause": ""}, "ok", "the link stands"),
        ({"event": "link", "online": False, "cause": "name"}, "warn", "name can't be found"),
        ({"event": "link", "online": False, "cause": "tired"}, "warn", "no link: tired"),
        ({"event": "link"}, "warn", "no link: ?"),
        ({"event": "engine", "state": "ready", "detail": "grow 1"}, "ok", "ready: grow 1"),
        ({"event": "engine", "state": "lost", "detail": "no answer"}, "warn", "does not answer: no answer"),
        ({"event": "journal", "error": "went back"}, "bad", "has records that this journal has not"),
        ({"event": "journal", "error": "x"}, "bad", "journal fails, and it refuses to scan: x"),
        ({"event": "settings", "error": "siet {0}"}, "bad", "settings can't be used: siet {0}"),
        ({"event": "store"}, "bad", "store of keys fails: ?"),
        ({"event": "later", "of": 1}, "note", "later: of 1"),
        ({"event": "later", "error": "x"}, "bad", "later: error x"),
        ({"event": 7}, "note", "7: "),
    ],
)  # fmt: skip
def test_each_event_is_a_sentence(told: dict[str, Any], level: str, text: str) -> None:
    found = texts.said(told)
    assert found.level == level
    assert text in found.text
    line = cli.said("log", {"told": told})
    assert line is not None
    assert found.text in line.plain


def test_what_the_bridge_hears_is_a_sentence_whatever_is_missing() -> None:
    for name, facts in (
        ("health", {"told": {}}),
        ("health", {"told": {"counters": [], "heap_free": None}}),
        ("status", {"told": {}}),
        ("status", {"told": {"online": True}}),
        ("record", {"seq": 1, "outcome": "accepted", "reason": 0}),
        ("record", {"seq": 1, "outcome": "new", "reason": 0}),
        ("cable", {"there": False}),
        ("line", {"text": "Traceback"}),
    ):
        assert cli.said(name, facts), name
