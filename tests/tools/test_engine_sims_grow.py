"""The GROW engine's stand-in answers byte for byte as the manuals say."""

import pytest
from scanlatch_tools.twin.engines import grow_line
from scanlatch_tools.twin.engines.base import BOOT_S, DECODE_S
from scanlatch_tools.twin.engines.grow import Grow
from scanlatch_tools.twin.engines.serial import misread

from tests.tools.engine_host import Host

ACK = "02 00 00 01 00 33 31"
CODE = b"83386520001941653320"


def command_mode(host: Host) -> None:
    for request in ("7E 00 08 01 00 00 D1 AF C5", "7E 00 08 01 00 60 01 6F 92"):
        assert host.ask(request) == bytes.fromhex(ACK)


@pytest.fixture
def host() -> Host:
    return Host(Grow())


def test_what_is_no_request_gets_no_answer(host: Host) -> None:
    assert host.ask("7E 00 08 01 00 02 01 02 DB") == b"", "wrong CRC"
    assert host.ask("7E 00 0C 01 00 00 00 AB CD") == b"", "unknown type"
    assert host.ask("FF 7E 7E 00 07 01 00 E0 01 11 F3") == bytes.fromhex("02 00 00 01 05 63 94"), "noise before it"


def test_several_registers_in_one_read(host: Host) -> None:
    wanted = bytes.fromhex("02 00 00 05 64 69 10 04 0C")
    assert host.ask("7E 00 07 01 00 E1 05 62 46") == wanted + grow_line.crc16(wanted[2:]).to_bytes(2, "big")


def test_a_request_that_pauses_is_dropped(host: Host) -> None:
    host.ask("7E 00 07 01 00 E0", 0.39)
    assert host.ask("01 11 F3") == bytes.fromhex("02 00 00 01 05 63 94")
    host.ask("7E 00 07 01 00 E0", 0.41)
    assert host.ask("01 11 F3") == b""


def test_speed_changes_after_the_acknowledgement(host: Host) -> None:
    assert host.ask("7E 00 08 02 00 2A 1A 00 E4 7E") == bytes.fromhex(ACK)
    assert host.ask("7E 00 07 01 00 2A 02 D8 0F") == b""
    host.baud = 115200
    assert host.ask("7E 00 07 01 00 2A 02 D8 0F") == bytes.fromhex("02 00 00 02 1A 00 82 D8")


def test_the_wrong_speed_gives_garbage_both_ways() -> None:
    sim = Grow()
    command_mode(Host(sim))
    sim.present(CODE, 20.0)
    sim.receive(bytes.fromhex("7E 00 08 01 00 02 01 02 DA"), 20.0, 9600)
    heard = sim.poll(21.0, 115200)
    assert heard and CODE not in heard
    sim.receive(bytes.fromhex("7E 00 07 01 00 E0 01 11 F3"), 21.0, 115200)
    assert sim.poll(22.0, 9600) == b""


@pytest.mark.parametrize(("sent", "heard"), [(9600, 9601), (9600, 9500), (115200, 116000)])
def test_a_small_difference_of_speed_is_understood(sent: int, heard: int) -> None:
    assert misread(CODE, sent, heard) == CODE


def test_saved_registers_outlive_a_power_cut_and_others_do_not() -> None:
    sim = Grow()
    host = Host(sim)
    host.ask("7E 00 08 01 00 00 D1 AF C5")
    host.ask("7E 00 09 01 00 00 00 DE C8")
    host.ask("7E 00 08 02 00 2A 1A 00 E4 7E")
    sim.power_cycle(host.now)
    assert host.ask("7E 00 07 01 00 00 01 01 41", 0.2) == b"", "it is silent while it starts"
    host.wait(BOOT_S)
    assert host.ask("7E 00 07 01 00 00 01 01 41")[4] == 0xD1
    assert sim.baud == 9600
    assert sim.saves == 1


def test_reset_brings_the_delivered_state_and_silence(host: Host) -> None:
    command_mode(host)
    assert host.ask("7E 00 08 01 00 D9 55 D1 76") == b"", "the acknowledgement may be lost"
    assert host.ask("7E 00 07 01 00 00 01 01 41") == b""
    host.wait(BOOT_S)
    assert host.ask("7E 00 07 01 00 00 01 01 41")[4] == 0xD0


def test_a_symbol_is_read_once_and_only_when_told(host: Host) -> None:
    command_mode(host)
    host.sim.present(CODE, host.now)
    assert host.wait(5) == b""
    assert host.ask("7E 00 08 01 00 02 01 02 DA", 1) == bytes.fromhex(ACK) + CODE + b"\r"
    assert not host.sim.armed
    assert host.ask("7E 00 08 01 00 02 01 02 DA", 1) == bytes.fromhex(ACK)


def test_the_beam_goes_out_after_the_read_time(host: Host) -> None:
    command_mode(host)
    host.ask("7E 00 08 01 00 06 32 C8 2E")
    host.ask("7E 00 08 01 00 02 01 02 DA")
    deadline = host.sim.next_deadline()
    assert deadline == pytest.approx(host.now - 0.1 + 5, abs=0.05)
    host.wait(4.8)
    assert host.sim.armed
    host.wait(0.2)
    assert not host.sim.armed
    assert host.ask("7E 00 07 01 00 02 01 67 23")[4] == 0


def test_a_symbology_that_is_off_is_not_read(host: Host) -> None:
    command_mode(host)
    host.ask("7E 00 08 01 00 02 01 02 DA")
    host.sim.present(b"0106901234567892", host.now, "]d2")
    assert host.wait(1) == b""
    assert host.ask("7E 00 08 01 00 54 01 A6 C3", 1) == bytes.fromhex(ACK) + b"0106901234567892\r"


def test_the_next_deadline_is_when_the_bytes_have_left(host: Host) -> None:
    command_mode(host)
    host.ask("7E 00 08 01 00 02 01 02 DA")
    assert host.sim.next_deadline() is not None  # the end of the read time
    host.sim.present(CODE, host.now)
    assert host.sim.next_deadline() == pytest.approx(host.now + DECODE_S)
    host.now += DECODE_S
    host.sim.poll(host.now, host.baud)
    left = host.sim.next_deadline()
    assert left == pytest.approx(host.now + 21 * 10 / 9600)
    assert host.wait(21 * 10 / 9600 - 0.001) == b""
    assert host.wait(0.002) == CODE + b"\r"


def test_the_same_code_waits_for_its_delay(host: Host) -> None:
    command_mode(host)
    assert host.ask("7E 00 08 01 00 13 85 AB CD") == bytes.fromhex(ACK)
    host.ask("7E 00 08 01 00 02 01 02 DA")
    host.sim.present(CODE, host.now, stays=True)
    assert host.wait(0.1) == CODE + b"\r"
    assert host.ask("7E 00 08 01 00 02 01 02 DA", 0.3) == bytes.fromhex(ACK)
    assert host.wait(0.3) == CODE + b"\r"


def test_continuous_mode_reads_untold(host: Host) -> None:
    host.ask("7E 00 08 01 00 00 D6 DF 22")
    host.sim.present(CODE, host.now)
    assert host.wait(1) == CODE, "as delivered there is no suffix"


def test_the_erase_command_is_the_end(host: Host) -> None:
    host.ask("7E 00 05 01 00 00 00 AB CD")
    assert host.sim.erased
    assert host.ask("7E 00 07 01 00 E0 01 11 F3") == b""
    assert host.sim.next_deadline() is None
