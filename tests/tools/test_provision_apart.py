"""A technician without the site's CA: the request goes out as a file, the answer comes back, the terminal sells."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import site_cli
from scanlatch_tools.errors import ToolError
from scanlatch_tools.provision import apart
from scanlatch_tools.provision.work import Wish, provision
from scanlatch_tools.request import EnrolError, Request
from scanlatch_tools.stage import Stage
from typer.testing import CliRunner

from tests.tools import provision_case as case
from tests.tools.flash_case import flashed

BODY = {"what": "scanlatch request 1", "device": "till-1", "signing": "04", "agreement": "04", "csr": "30", "board": {}}


def test_a_request_is_signed_elsewhere_and_its_answer_makes_the_terminal(
    stage: Stage, codes: Iterator[str], tmp_path: Path
) -> None:
    asked, given = tmp_path / "window.request", tmp_path / "window.answer"
    with case.PulledBoard(tmp_path / "board") as board:
        board.start()
        flashed(board, tmp_path, "esp32")
        port = str(board.port)
        wish = Wish(None, name="apart-01", board=case.BOARD, request=asked)
        first = provision(wish, port, case.Listener())
        before = asked.read_bytes()
        assert (first.device, first.label) == ("apart-01", asked)
        provision(wish, port, case.Listener())  # asked again it asks the same
        assert asked.read_bytes() == before
        keys = case.keys_of(board)
        assert not [key for key in keys.values() if key.hex().encode() in before]

        assert "apart-01 is granted for clinic-7:" in _signed(stage, asked, given)
        assert "again" in _signed(stage, asked, given)
        assert given.stat().st_mode & 0o077 == 0

        wish = Wish(None, wifi="clinic", password=case.PASSWORD, answer=given, label=tmp_path / "label.pdf")
        talk = case.Listener()
        assert case.lost(board, lambda: provision(wish, port, case.Listener(4, board)))
        assert provision(wish, port, talk).site == "clinic-7"
        assert talk.told("check", what="link")["ok"]
        assert talk.told("check", what="bridge")["ok"] is None  # whose registry is elsewhere
        assert case.keys_of(board) == keys
        assert (tmp_path / "label.pdf").read_bytes().startswith(b"%PDF")
        case.sold(board, "apart-01", next(codes))
    foreign = Request("apart-01", bytes(65), bytes(65), _csr(before))
    with pytest.raises(EnrolError, match="made its keys anew since apart-01 asked"):
        apart.read_answer(given).must_be_for(foreign)


def _csr(request: bytes) -> bytes:
    return bytes.fromhex(json.loads(request)["csr"])


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "can't be read"),
        (b"[1]", "holds something else"),
        (b'{"what": "scanlatch answer 1"}', "holds something else"),
        (json.dumps(BODY).encode(), "is not what `scanlatch provision --request` wrote"),
        (json.dumps({**BODY, "operation": 7}).encode(), "is not what"),
        (json.dumps({**BODY, "operation": "sale", "board": "mine"}).encode(), "is not what"),
        (json.dumps({**BODY, "operation": "sale"}).encode(), "can't be used: ValueError"),
    ],
)
def test_what_is_no_request_is_granted_nothing(stage: Stage, tmp_path: Path, raw: bytes, says: str) -> None:
    path = tmp_path / "a.request"
    path.write_bytes(raw)
    with pytest.raises(ToolError, match=says):
        apart.sign(stage.site.folder, path, tmp_path / "answer", None)
    assert not (tmp_path / "answer").exists()


def test_a_request_and_an_answer_are_written_over_nothing_else(stage: Stage, tmp_path: Path) -> None:
    pipe, dear = tmp_path / "pipe", tmp_path / "dear"
    os.mkfifo(pipe)
    dear.write_text("dear")
    for place, says in ((pipe, "no file"), (dear, "something else"), (tmp_path / "no" / "a", "can't be written")):
        with pytest.raises(ToolError, match=says):  # before a board is looked for
            provision(Wish(None, request=place), "no port", case.Listener())
    asked = tmp_path / "a.request"
    asked.write_text(json.dumps({**BODY, "operation": "sale"}))
    with pytest.raises(ToolError, match="something else"):
        apart.sign(stage.site.folder, asked, asked, None)
    assert (pipe.is_fifo(), dear.read_text()) == (True, "dear")


@pytest.mark.parametrize("told", [{}, {"what": "scanlatch answer 1", "device": "till-1"}])
def test_what_is_no_answer_is_not_taken(tmp_path: Path, told: dict[str, Any]) -> None:
    path = tmp_path / "an.answer"
    path.write_text(json.dumps(told))
    with pytest.raises(ToolError, match=r"holds something else|is not what `scanlatch site sign` wrote"):
        apart.read_answer(path)


def _signed(stage: Stage, asked: Path, given: Path) -> str:
    done = CliRunner().invoke(site_cli.app, ["sign", str(stage.site.folder), str(asked), str(given)])
    assert done.exit_code == 0, done.output
    return done.output
