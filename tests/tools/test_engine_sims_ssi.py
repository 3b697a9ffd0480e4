"""An SSI engine's stand-in waits for acknowledgements, sends again, sleeps, and cuts long symbols into packets."""

import pytest
from scanlatch_tools.twin.engines import simulator

from tests.tools.engine_host import CODE, LONG, Host, ready, triggered
from tests.tools.engine_requests import ASK, TRIGGER, ssi


def test_a_long_ssi_symbol_comes_in_packets_each_acknowledged() -> None:
    host = ready("ssi", baud=115200)
    data, waiting = b"", triggered(host, LONG, "]Q1")
    packets = 0
    while waiting:
        size = waiting[0]
        assert sum(waiting[: size + 2]) != 0
        assert waiting[1] == 0xF3
        packets += 1
        data += waiting[5:size]
        assert bool(waiting[3] & 2) == (len(data) < len(LONG) + 3)
        waiting = host.ask(ssi(0xD0), 1.5)
    assert (data, packets) == (b"]Q1" + LONG, 3)
    assert host.wait(10) == b""


@pytest.mark.parametrize("name", ["ssi", "ssi_lite"])
def test_a_symbol_that_the_host_does_not_acknowledge_comes_three_times(name: str) -> None:
    host = ready(name)
    host.ask(b"\0")
    host.ask(TRIGGER[name])
    first = host.read(CODE, wait=1)
    second, third = host.wait(2), host.wait(2)
    assert CODE in first and not first[3] & 1
    assert CODE in second and second[3] & 1
    assert third == second
    assert host.wait(10) == b""


def test_ssi_sends_again_what_was_not_understood_and_forgets_what_was_cancelled() -> None:
    host = ready("ssi")
    host.ask(b"\0")
    host.ask(TRIGGER["ssi"])
    assert CODE in host.read(CODE, wait=0.1)
    assert CODE in host.ask(ssi(0xD1, b"\x01"), 0.1)
    assert host.ask(ssi(0xD1, b"\x0a"), 5) == b""


def test_ssi_sleeps_and_loses_the_first_bytes() -> None:
    host = Host(simulator("ssi"))
    assert host.ask(ASK["ssi"]) == b"", "asleep"
    assert host.ask(ASK["ssi"]), "awake"
    host.wait(2)
    host.ask(b"\0", 0.01)
    assert host.ask(ASK["ssi"], 0.5) == b"", "within 20 ms of its waking"
    assert host.ask(ASK["ssi"])


def test_a_long_ssi_symbol_comes_in_one_go_where_only_its_end_is_acknowledged() -> None:
    host = ready("ssi", baud=115200)
    host.ask(b"\0")
    host.ask(ssi(0xC6, bytes.fromhex("FF F0 4E 02")))
    sent, data, statuses = triggered(host, LONG, "]Q1"), b"", b""
    while sent:
        data += sent[5 : sent[0]]
        statuses += sent[3:4]
        sent = sent[sent[0] + 2 :]
    assert (data, statuses) == (b"]Q1" + LONG, b"\2\2\0")
    assert host.ask(ssi(0xD0), 10) == b""
