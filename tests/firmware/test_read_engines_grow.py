"""What only GROW's engines do: registers, two ways to answer errors, and a speed that is changed half-way."""

from collections.abc import Iterator
from typing import Any

import pytest
from scanlatch_tools.twin.engines import simulator

from tests.firmware.engine_bench import CODES, Bench, Wired, data

FAST = bytes.fromhex("7E 00 08 02 00 2A 1A 00 E4 7E")


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_its_registers_are_set_and_kept_save_the_speed(bench: Bench) -> None:
    with Wired(bench, "grow") as play:
        play.ready()
        engine: Any = play.engine
        registers, flash = engine.registers, engine.flash
        assert registers[0x00] == 0xD5, "command mode, its own light, aimer and light while reading"
        assert registers[0x03] & 0x02, "setup codes are off"
        assert registers[0x0D] & 0x03 == 0, "serial"
        assert not registers[0x0E] & 0x04, "no beep"
        assert registers[0x13] == 0x85, "the same code after 500 ms"
        assert registers[0x60] == 0x01, "CR"
        on = [r for r in range(0x2E, 0x56) if registers[r] & 1]
        assert on == [0x2E, 0x2F, 0x30, 0x33, 0x3F, 0x54]
        assert (engine.saves, engine.baud, play.baud) == (1, 115200, 115200)
        assert flash[0x2A:0x2C] == b"\x39\x01", "every probe begins at 9600"
        assert bytes(flash[:0x2A]) == bytes(registers[:2] + b"\0" + registers[3:0x2A]), "kept but for the trigger"
        kinds = {one[2] for one in play.sent}
        assert kinds == {7, 8, 9}, "type 05 erases the engine"


@pytest.mark.parametrize("swallowed", [1, 2, 3, 4, 5])
def test_a_change_of_speed_whose_answer_is_lost_ends_well(bench: Bench, swallowed: int) -> None:
    with Wired(bench, "grow") as play:
        send, left = play.engine.line.send, swallowed

        def mute(sent: bytes, at: float, baud: int) -> float:
            nonlocal left
            if FAST in play.sent and left:
                left -= 1
                sent = b""
            return send(sent, at, baud)

        play.engine.line.send = mute
        play.until(lambda: play.states and play.states[-1][0] == "ready")
        play.scan(*CODES[:5])
        assert play.engine.baud == play.baud


def test_a_line_too_bad_for_115200_is_used_at_9600(bench: Bench) -> None:
    engine: Any = simulator("grow")
    receive = engine.receive
    engine.receive = lambda sent, now, baud: receive(sent if baud == 9600 else b"\xff" * len(sent), now, baud)
    with Wired(bench, "grow", engine) as play:

        def power() -> None:
            if engine.baud != 9600:
                engine.power_cycle(play.now)

        for _ in range(2):
            play.until(lambda: play.states and play.states[-1][1] == "no answer after the change to 115200 baud")
            power()
            play.states.clear()
        play.ready()
        assert play.baud == 9600
        play.scan(*CODES[:3])


@pytest.mark.parametrize("how", ["power_cycle", "factory_reset", "reboot"])
def test_it_comes_back_after_a_reset(bench: Bench, how: str) -> None:
    with Wired(bench, "grow") as play:
        play.ready()
        play.scan(*CODES[:2])
        getattr(play.engine, how)(play.now)
        play.until(lambda: play.states[-1][0] == "lost")
        play.ready()
        play.scan(*CODES[2:5])
        assert data(play) == CODES[:5]


def test_one_that_lost_only_its_arming_is_armed_again(bench: Bench) -> None:
    with Wired(bench, "grow") as play:
        play.ready()
        engine: Any = play.engine
        engine.flash[:] = engine.registers  # somebody saved it at 115200
        engine.power_cycle(play.now)
        play.scan(*CODES[:2])
        assert len(play.states) == 1


def test_one_that_read_on_its_own_is_calmed(bench: Bench) -> None:
    engine: Any = simulator("grow")
    engine.flash[0x00] = 0xD6
    engine.power_cycle(-1.0)
    engine.registers[0x05] = 0
    engine.present(b"\x02\x00\x00\x01", 0.0, stays=True)  # in every pause, bytes that look like a reply
    with Wired(bench, "grow", engine) as play:
        play.ready()
        engine.remove()
        play.frames.clear()
        play.run(1)
        play.frames.clear()
        play.scan(*CODES[:3])
        assert engine.registers[0] & 3 == 1


def test_one_that_answers_errors_is_set_up(bench: Bench) -> None:
    with Wired(bench, "grow", newland_errors=True) as play:
        play.ready()
        play.scan(*CODES[:3])


def test_one_without_version_registers_is_used(bench: Bench) -> None:
    engine: Any = simulator("grow")
    receive = engine.receive
    engine.receive = lambda sent, now, baud: None if sent[4:6] in (b"\0\xe0", b"\0\xe1") else receive(sent, now, baud)
    with Wired(bench, "grow", engine) as play:
        assert play.ready() == "grow"
        play.scan(*CODES[:3])
