"""A stand-in of an engine beeps on its published command, and on nothing that only resembles it."""

import pytest

from tests.tools.engine_host import CODE, Host, ready
from tests.tools.engine_vectors import YES

HONEYWELL, SSI = "16 07 0D", "05 E6 04 00 00 FF 11"
NAK_RESEND, NAK_CONTEXT = "05 D1 00 00 01 FF 29", "05 D1 00 00 02 FF 28"


def awake(name: str) -> Host:
    host = ready(name)
    if name == "ssi":
        host.ask(b"\0")
    return host


@pytest.mark.parametrize(("name", "command", "answer"), [("honeywell", HONEYWELL, ""), ("ssi", SSI, YES)])
def test_a_beep_is_answered_as_published_and_counted(name: str, command: str, answer: str) -> None:
    host = awake(name)
    assert host.sim.beeps == 0
    for count in (1, 2):
        assert host.ask(command) == bytes.fromhex(answer)
        assert host.sim.beeps == count


@pytest.mark.parametrize(
    ("name", "command", "answer"),
    [
        ("honeywell", "16 07 0A", ""),
        ("honeywell", "07 0D", ""),
        ("honeywell", "16 4D 0D 16 0D", ""),
        ("ssi", "05 E6 04 00 00 FF 12", NAK_RESEND),
        ("ssi", "04 E6 04 00 FF 12", NAK_CONTEXT),
    ],
)
def test_what_is_damaged_or_incomplete_makes_no_beep(name: str, command: str, answer: str) -> None:
    host = awake(name)
    assert host.ask(command) == bytes.fromhex(answer)
    assert host.sim.beeps == 0


def test_an_ssi_engine_asleep_loses_the_beep() -> None:
    host = ready("ssi")
    host.wait(5)
    assert host.ask(SSI) == b""
    assert host.sim.beeps == 0


@pytest.mark.parametrize(("name", "command"), [("honeywell", HONEYWELL), ("ssi", SSI)])
def test_a_beep_leaves_the_beam_as_it_is(name: str, command: str) -> None:
    host = awake(name)
    host.ask({"honeywell": "16 54 0D", "ssi": "04 E4 04 00 FF 14"}[name])
    assert host.sim.armed
    host.ask(command)
    assert host.sim.armed
    assert CODE in host.read(CODE)
