"""A terminal that is far away is looked at through its bridge: it is asked, and what it said last is told."""

import pytest
from scanlatch_tools import enrol
from scanlatch_tools.doctor import over_bridge
from scanlatch_tools.doctor.finding import Finding, status
from scanlatch_tools.errors import ToolError
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard

from tests.tools.conftest import DOCTORED


def _looked(stage: Stage, device: str = DOCTORED) -> dict[str, Finding]:
    found: list[Finding] = []
    over_bridge.look(stage.site.folder, device, found.append)
    assert all(one.text for one in found)
    return {one.key: one for one in found}


def test_a_terminal_answers_through_its_bridge(stage: Stage, board: BareBoard) -> None:
    assert board.runs
    found = _looked(stage)
    assert status(found.values()) == 0, [one for one in found.values() if one.level in ("warn", "bad")]
    wanted = {"registry.is", "answer.is", "status.online", "firmware.version", "engine.is", "wear.is", "clock.set",
              "heap.free", "wifi.is", "certificate.is", "cable.only"}  # fmt: skip
    assert wanted <= set(found)
    assert found["certificate.is"].values["days"] > 1_000
    assert found["engine.is"].values["text"].startswith("grow")


def test_one_that_does_not_answer_is_told_with_what_it_said_last(
    stage: Stage, board: BareBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_bridge, "ANSWER_S", 0.3)
    _looked(stage)
    board.kill()
    found = _looked(stage)
    assert {"answer.not", "heap.free"} < set(found)
    assert status(found.values()) == 8
    board.start()


def test_one_that_is_suspended_or_unknown_is_told(
    stage: Stage, board: BareBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert board.runs
    monkeypatch.setattr(over_bridge, "ANSWER_S", 0.1)
    with enrol.registry(stage.site) as registry:
        registry.suspend(DOCTORED)
        assert _looked(stage)["registry.not"].values["status"] == "suspended"
        registry.reinstate(DOCTORED)
    with pytest.raises(ToolError, match="no terminal window-99"):
        _looked(stage, "window-99")
