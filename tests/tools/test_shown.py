"""The eye that reads a twin's light: it knows each pattern, also where it comes right behind another."""

import pytest
from scanlatch_tools.twin import shown
from scanlatch_tools.twin.trace import Line

from tests.firmware.test_indicator import ONCE, steps

_OWN = ("query_", "void_", "session_")
_MODES = tuple(f"idle_{name}" for name in ("sale", "return", "receive", "stock-take", "query", "dispatch"))
_BEHIND_READ = (
    *("kept", "wrong_symbol", "torn", "unknown_symbol", "personal", "engine_code", "glued", "case_code", "full"),
    *("busy", "fault_refused", "foreign_control", "badge", "done", "nothing", "credential", "credential_offline"),
    *_MODES,
)
_BEHIND_KEPT = ("accepted", "rejected", "duplicate", "pending", "exempt", "error")


@pytest.mark.parametrize("name", _BEHIND_READ)
def test_what_comes_right_behind_read_sounds_apart_from_it(name: str) -> None:
    assert steps(ONCE[name])[0].tone != steps(ONCE["read"])[-1].tone


@pytest.mark.parametrize("name", [own + name for own in ("", *_OWN) for name in _BEHIND_KEPT])
def test_what_comes_right_behind_kept_sounds_apart_from_it(name: str) -> None:
    assert steps(ONCE[name])[0].tone != steps(ONCE["kept"])[-1].tone


def test_a_light_that_was_on_before_is_seen() -> None:
    before: list[Line] = [{"what": "light", "rgb": [0, 0, 0]}, {"what": "light", "rgb": [255, 255, 255]}]
    tone: Line = {"what": "tone", "hz": 2640, "at": 1.0, "n": 2}
    seen = shown.Eye(reversed(before)).see(tone)
    assert seen is not None
    assert seen.name == "read"
