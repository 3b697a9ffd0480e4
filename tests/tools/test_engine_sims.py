"""Scan engines' stand-ins keep, lose, refuse, wait and misbehave as engines do."""

import pytest
from scanlatch_tools.twin.engines import NAMES, simulator
from scanlatch_tools.twin.engines.base import BOOT_S

from tests.tools.engine_host import CODE, GS1, LONG, Host, ready, triggered
from tests.tools.engine_requests import ASK, OFF, RUIN, TAKES_COMMANDS, TRIGGER, honeywell, newland, ssi


@pytest.mark.parametrize("name", NAMES)
def test_a_symbol_is_read_once_and_only_when_told(name: str) -> None:
    host = ready(name)
    if name != "line":
        assert host.read(CODE, wait=5) == b""
        assert host.sim.reads == 0
        host.sim.remove()
    assert CODE in triggered(host, CODE)
    assert host.wait(1.9) == b"" or name.startswith("ssi"), "SSI's wait for an acknowledgement"
    assert host.sim.reads == 1
    assert not host.sim.erased


@pytest.mark.parametrize("name", NAMES)
def test_the_separator_and_the_longest_symbol_come_whole(name: str) -> None:
    if name != "ssi":  # its long symbols come in several packets: below
        sent = triggered(ready(name, baud=115200), LONG, "]Q1")
        assert LONG in sent
    sent = triggered(ready(name), GS1, "]d2")
    assert GS1 in sent
    assert (b"]d2" + GS1 in sent) == (name in ("newland", "ssi"))


@pytest.mark.parametrize("name", TAKES_COMMANDS)
def test_what_would_cost_the_engine_or_its_line_is_remembered(name: str) -> None:
    host = ready(name)
    host.ask(b"\0" if name.startswith("ssi") else b"")
    assert not host.sim.erased
    host.ask(RUIN[name])
    assert host.sim.erased
    assert host.sim.forbidden
    assert host.sim.dead == (name in ("grow", "m14", "de2120"))


@pytest.mark.parametrize("name", TAKES_COMMANDS)
def test_an_engine_misbehaves_as_it_is_told(name: str) -> None:
    host = ready(name)
    wake = [b"\0"] if name.startswith("ssi") else []

    def ask(wait: float = 0.6) -> bytes:
        for request in wake:
            host.wait(2)
            host.ask(request)
        host.wait(0.1)
        return host.ask(ASK[name], wait)

    right = ask()
    assert right
    faults = host.sim.faults
    faults.silent = True
    assert ask() == b""
    faults.silent = False
    faults.late_s = 0.5
    assert ask(0.4) == b""
    assert host.wait(0.6) == right
    faults.late_s = 0
    faults.wrong_checksums = 1
    wrong = ask()
    assert len(wrong) == len(right) and wrong != right
    assert ask() == right
    faults.noise = b"\xff\x00\x55"
    assert ask() == faults.noise + right
    faults.noise = b""
    if len(right) > 1:
        faults.split_s = 0.3
        assert 0 < len(ask(0.2)) < len(right)
        host.wait(1)


@pytest.mark.parametrize("name", TAKES_COMMANDS)
def test_replies_that_are_glued_come_in_one_go(name: str) -> None:
    host = ready(name, baud=115200)
    host.now = 1000.01
    host.ask(b"\0" if name.startswith("ssi") else b"")
    right = host.ask(ASK[name])
    host.sim.faults.glue_s = 0.5
    assert host.ask(ASK[name]) + host.ask(ASK[name]) == b""
    assert host.wait(0.2) == right + right


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("grow", bytes.fromhex("7E 00 08 01 00 00 D6 AB CD")),
        ("newland", newland("@SCNMOD3")),
        ("newland", newland("@SCNMOD2")),
        ("honeywell", honeywell("TRGMOD3.")),
        ("ssi", ssi(0xC6, bytes.fromhex("FF EE 00 8A 07"))),
        ("ssi_lite", ssi(0xC6, bytes.fromhex("00 EE 00 8A 04"))),
        ("m14", bytes.fromhex("21 61 41 02")),
        ("de2120", b"^_^SCMCNT."),
    ],
)
def test_an_engine_that_reads_on_its_own_needs_no_trigger(name: str, mode: bytes) -> None:
    host = ready(name)
    if name.startswith("ssi"):
        host.ask(b"\0")
    host.ask(mode)
    assert CODE in host.read(CODE)
    assert GS1 in host.read(GS1, "]d2")


@pytest.mark.parametrize("name", TAKES_COMMANDS)
def test_an_engine_that_was_unplugged_is_silent_and_comes_back_with_what_is_permanent(name: str) -> None:
    host = ready(name)
    host.sim.unplug(host.now)
    host.ask(b"\0" if name.startswith("ssi") else b"")
    assert host.ask(ASK[name]) == b""
    assert host.sim.next_deadline() is None
    host.sim.power_cycle(host.now)
    host.wait(BOOT_S - 0.05)
    assert host.ask(ASK[name], 0.01) == b"", "it is silent while it starts"
    host.wait(0.2)
    assert host.ask(ASK[name], 0.5)


@pytest.mark.parametrize(
    ("name", "volatile", "permanent", "asked", "delivered", "changed"),
    [
        ("newland", "#ORTSET700", "@ORTSET700", newland("#ORTSET*"), b"3000", b"700"),
        ("honeywell", "TRGSTO700!", "TRGSTO700.", honeywell("TRGSTO?."), b"30000", b"700"),
    ],
)
def test_menu_settings_outlive_power_only_where_they_are_kept(
    name: str, volatile: str, permanent: str, asked: bytes, delivered: bytes, changed: bytes
) -> None:
    host = Host(simulator(name))
    make = newland if name == "newland" else honeywell
    for request, after in ((volatile, delivered), (permanent, changed)):
        host.ask(make(request))
        assert changed + b"\x06" in host.ask(asked)
        host.sim.power_cycle(host.now)
        host.wait(1)
        assert after + b"\x06" in host.ask(asked)


def test_ssi_parameters_outlive_power_only_where_they_are_permanent() -> None:
    host = Host(simulator("ssi", sleeps_after_s=None))
    for status, after in ((0, 0), (8, 8)):
        host.ask(ssi(0xC6, b"\xff\x8a\x08", status))
        assert host.ask(ssi(0xC7, b"\x8a"))[6] == 8
        host.sim.power_cycle(host.now)
        host.wait(1)
        assert host.ask(ssi(0xC7, b"\x8a"))[6] == after


@pytest.mark.parametrize(
    ("name", "request_", "baud"),
    [
        ("newland", newland("@232BAD9"), 115200),
        ("honeywell", honeywell("232BAD5."), 9600),
        ("ssi", ssi(0xC6, b"\xff\x9c\x0b"), 115200),
        ("de2120", b"^_^232BAD5.", 9600),
    ],
)
def test_speed_changes_behind_the_acknowledgement(name: str, request_: bytes, baud: int) -> None:
    host = Host(simulator(name, **({"sleeps_after_s": None} if name == "ssi" else {})))
    assert host.ask(request_, 0.2)
    host.wait(0.6)
    assert host.sim.baud == baud
    assert host.ask(ASK[name], 0.3) == b"" or name == "honeywell", "at the old speed"
    host.baud = baud
    host.wait(1)
    assert host.ask(ASK[name])


def test_a_command_too_soon_is_not_heard_by_newland() -> None:
    host = Host(simulator("newland"))
    assert host.ask(newland("#SCNMOD*"), 0.04)
    assert host.ask(newland("#SCNMOD*"), 0.06) == b""
    assert host.ask(newland("#SCNMOD*"))


def test_newland_takes_several_commands_in_one_frame() -> None:
    host = Host(simulator("newland"))
    answer = host.ask(newland("@QRCENA1;128ENA1,MIN4;XXXENA1;ORTSET9999999"))
    assert answer == b"\x02\x010000@QRCENA1\x06;128ENA1\x06,MIN4\x06;XXXENA1\x05;ORTSET9999999\x15;\x03"


def test_honeywell_ends_a_half_typed_command_and_ignores_the_case() -> None:
    host = Host(simulator("honeywell"))
    assert host.ask(b"\x16M\rTRGMO") == b""
    assert host.ask(b"!") == b"TRGMO\x05!"
    assert host.ask(honeywell("trgmod0,sto700.")) == b"TRGMOD0\x06,STO700\x06."


@pytest.mark.parametrize(
    ("name", "set_", "seconds"),
    [
        ("grow", bytes.fromhex("7E 00 08 01 00 06 14 AB CD"), 2.0),
        ("newland", newland("@ORTSET2000"), 2.0),
        ("honeywell", honeywell("TRGSTO2000."), 2.0),
        ("ssi", ssi(0xC6, b"\xff\x88\x14"), 2.0),
        ("ssi_lite", ssi(0xC6, b"\x00\x88\x14"), 2.0),
        ("m14", bytes.fromhex("21 61 8A 07 D0"), 2.0),
        ("de2120", b"^_^LAMENA1.", 5.0),
    ],
)
def test_the_beam_goes_out_by_itself(name: str, set_: bytes, seconds: float) -> None:
    host = ready(name)
    for request in ([b"\0"] if name.startswith("ssi") else []) + [set_]:
        host.ask(request)
    host.ask(TRIGGER[name], 0.1)
    host.wait(seconds - 0.2)
    assert host.sim.armed
    host.wait(0.3)
    assert not host.sim.armed


@pytest.mark.parametrize("name", OFF)
def test_a_symbology_that_is_off_is_not_read(name: str) -> None:
    host = ready(name)
    host.ask(OFF[name])
    assert GS1 not in triggered(host, GS1, "]d2")


def test_an_unknown_engine_or_knob_is_named() -> None:
    with pytest.raises(ValueError, match=r"newlant.*newland"):
        simulator("newlant")
    with pytest.raises(ValueError, match="sleeps"):
        simulator("grow", sleeps_after_s=2)
