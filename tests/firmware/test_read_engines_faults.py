"""Each family's driver where its line is bad, where symbols are damaged, and where its engine has ways of its own."""

from collections.abc import Iterator
from typing import Any

import pytest
from scanlatch_tools.twin.engines import simulator

from tests.firmware.engine_bench import CODES, GS1, KINDS, LONG, TORN, Bench, Wired, data


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize(
    "faults",
    [
        {"late_s": 0.45},
        {"late_s": 0.7},
        {"wrong_checksums": 3},
        {"split_s": 0.12},
        {"glue_s": 0.15},
        {"noise": b"\xff"},
        {"noise": b"\x00\x41\xfe"},
    ],
    ids=str,
)
def test_each_reads_though_its_line_is_bad(bench: Bench, kind: str, faults: dict[str, Any]) -> None:
    with Wired(bench, kind, **faults) as play:
        play.ready()
        play.engine.present(CODES[0], play.now, aim="]C0")
        play.until(lambda: CODES[0] in data(play))
        play.run(4)
        play.engine.present(CODES[1], play.now, aim="]C0")
        play.until(lambda: CODES[1] in data(play))


class Echo:
    """No engine, and TX touches RX."""

    def __init__(self) -> None:
        self.forbidden: list[str] = []
        self._heard = b""

    def receive(self, data: bytes, now: float, host_baud: int) -> None:
        del now, host_baud
        self._heard += data

    def poll(self, now: float, host_baud: int) -> bytes:
        del now, host_baud
        heard, self._heard = self._heard, b""
        return heard

    def next_deadline(self) -> float | None:
        return None


@pytest.mark.parametrize("echoed", [*KINDS, "auto"])
def test_our_own_commands_are_no_engine(bench: Bench, echoed: str) -> None:
    with Wired(bench, echoed, Echo()) as play:
        play.run(40)
        assert play.states and all(state == "lost" for state, _ in play.states)
        assert not play.frames


@pytest.mark.parametrize("cut", [4, 12, 18])
def test_a_symbol_whose_end_is_lost_is_no_symbol(bench: Bench, kind: str, cut: int) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.run(0.2)
        send = play.engine.line.send

        def short(sent: bytes, at: float, baud: int) -> float:
            if CODES[0][:8] in sent:
                play.engine.line.send = send
                sent = sent[:-cut]
            return send(sent, at, baud)

        play.engine.line.send = short
        play.engine.present(CODES[0], play.now, aim="]C0")
        play.run(5)
        if kind in ("ssi", "ssi_lite"):  # sent again
            assert data(play) == CODES[:1]
        else:
            assert play.frames == [TORN]
        play.scan(CODES[1])
        play.end()
        assert play.lost == 1


@pytest.mark.parametrize("kind", ["honeywell", "ssi", "ssi_lite", "m14"])
def test_a_symbol_whose_beginning_is_lost_is_no_symbol(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.run(0.2)
        play.engine.line.send(CODES[0][5:] + b"\r", play.now, play.engine.baud)
        play.run(1)
        assert not data(play)
        play.scan(CODES[1])
        play.end()
        assert play.lost == 1


@pytest.mark.parametrize("kind", ["ssi", "ssi_lite"])
def test_a_symbol_that_ssi_sends_again_counts_once(bench: Bench, kind: str) -> None:
    with Wired(bench, kind) as play:
        play.ready()
        play.run(0.2)
        play.engine.present(CODES[0], play.now, aim="]C0")
        receive = play.engine.receive
        play.engine.receive = lambda *_: None  # the acknowledgement gets lost
        play.until(lambda: play.frames)
        play.run(0.1)
        play.engine.receive = receive
        play.run(6)
        assert data(play) == CODES[:1]
        assert play.engine.unanswered == 0
        play.scan(CODES[0], CODES[1])


@pytest.mark.parametrize("type_once", [False, True])
def test_ssi_takes_a_symbol_in_several_packets(bench: Bench, type_once: bool) -> None:
    with Wired(bench, "ssi", type_once=type_once) as play:
        play.ready()
        play.scan(LONG, aim="]Q1")
        assert play.frames == [("]Q1", LONG)]
        play.engine.present(CODES[0], play.now)
        play.until(lambda: len(play.frames) == 2, 0.5)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_ssi_symbol_in_several_packets_is_whole_though_one_of_them_was_damaged(bench: Bench, lost: int) -> None:
    with Wired(bench, "ssi") as play:
        play.ready()
        play.run(0.2)
        send, count = play.engine.line.send, 0

        def damaged(sent: bytes, at: float, baud: int) -> float:
            nonlocal count
            if len(sent) > 20:
                count += 1
                if count == lost + 1:
                    sent = sent[:-3] + b"\x00" + sent[-2:]
            return send(sent, at, baud)

        play.engine.line.send = damaged
        play.scan(LONG, aim="]Q1")
        assert play.frames == [("]Q1", LONG)]


@pytest.mark.parametrize("knobs", [{"acks_as_host": True}, {"host_mode": 7}, {"tells_revision": True}], ids=str)
def test_ssi_lite_is_taken_as_it_comes(bench: Bench, knobs: dict[str, Any]) -> None:
    with Wired(bench, "ssi_lite", **knobs) as play:
        play.ready()
        play.scan(*CODES[:3])
        play.run(10)
        assert len(play.states) == 1


def test_ssi_lite_that_does_not_tell_its_settings_is_given_them(bench: Bench) -> None:
    engine: Any = simulator("ssi_lite")
    engine._tell = lambda *_: None
    with Wired(bench, "ssi_lite", engine) as play:
        play.ready()
        play.scan(*CODES[:3])
        play.run(10)
        assert len(play.states) == 1
        play.engine.present(CODES[3], play.now)
        play.until(lambda: CODES[3] in data(play), 4)


def test_newland_whose_command_is_the_aimers_reads_without_identifiers(bench: Bench) -> None:
    with Wired(bench, "newland", aidena_is_aimer=True) as play:
        play.ready()
        play.scan(CODES[0], GS1)
        assert play.frames == [("", CODES[0]), ("", GS1)]


def test_honeywell_without_headers_reads_lines(bench: Bench) -> None:
    engine: Any = simulator("honeywell")
    engine.menu._settings = {name: one for name, one in engine.menu._settings.items() if name != "DECHDR"}
    engine.menu.on = lambda name: name != "DECHDR" and engine.menu.current[name] == "1"
    with Wired(bench, "honeywell", engine) as play:
        play.ready()
        play.scan(*CODES[:3])
        assert play.frames == [("", code) for code in CODES[:3]]
