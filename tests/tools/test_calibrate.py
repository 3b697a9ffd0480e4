"""An engine that is set wrongly is told by what a person scans, in each way, and mended where its driver can."""

import json
import os
from binascii import crc32
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scanlatch_tools.calibrate import cli, work
from scanlatch_tools.calibrate.frames import judged
from scanlatch_tools.labels.calibration import SYMBOLS
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.chip.bare import BareBoard
from scanlatch_tools.twin.engines import Simulator, simulator
from scanlatch_tools.twin.engines.beam import Symbol as Seen
from scanlatch_tools.twin.engines.line import Line

FULL = bool(os.environ.get("SCANLATCH_FULL"))
ALL = {symbol.english for symbol in SYMBOLS}
GS1 = {symbol.english for symbol in SYMBOLS if b"\x1d" in symbol.data}


class Person:
    """Holds the sheet's symbols under the beam, one when the one before was told."""

    def __init__(self, board: BareBoard, *more: bytes, mends: Callable[[], None] | None = None) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._board = board
        self._left = [*((data, None) for data in more), *((one.data, one.aim) for one in SYMBOLS)]
        self._mends = mends

    def event(self, name: str, **facts: Any) -> None:
        self.events.append((name, facts))
        assert name == "done" or cli.said(name, facts), name
        if name == "silent" and self._mends:
            self._mends()
        if name in ("engine", "scan", "other") and self._left:
            self._board.engine.present(*self._left.pop(0))

    def told(self, name: str) -> list[dict[str, Any]]:
        return [facts for event, facts in self.events if event == name]

    @property
    def wrong(self) -> dict[str, list[str]]:
        """By symbol, what was wrong with it."""
        return {facts["symbol"]: facts["wrong"] for facts in self.told("scan") if facts["wrong"]}

    @property
    def mended(self) -> set[str]:
        """Settings that were wrong, and are mended."""
        return {facts["key"] for facts in self.told("setting") if facts["known"] and facts["done"]}


@pytest.fixture
def with_engine(board: BareBoard) -> Iterator[Callable[[Simulator], None]]:
    """Gives the shared terminal another engine, and its settings the family; both are as before at the end.

    Its program does not run meanwhile: it would set the engine up before anybody looks.
    """
    before, main = board.engine.simulator, board.files / "main.py"
    settings, starts = (board.files / "settings.json").read_bytes(), main.read_bytes()
    board.kill()
    main.unlink()

    def change(engine: Simulator) -> None:
        given = json.loads(settings[:-4])
        given["board"]["engine"].update(kind=engine.name, baud=engine.baud)
        data = json.dumps(given).encode()
        (board.files / "settings.json").write_bytes(data + crc32(data).to_bytes(4, "little"))
        board.engine.simulator = engine
        board.start()

    yield change
    board.kill()
    (board.files / "settings.json").write_bytes(settings)
    main.write_bytes(starts)
    board.engine.simulator = before
    board.start()


def _calibrated(board: BareBoard, person: Person, wait_s: float = 30.0) -> int:
    try:
        work.calibrate(str(board.port), wait_s, person.event)
    except work.NotCalibratedError as error:
        return error.status
    return 0


def _as_delivered(name: str) -> Simulator:
    return simulator(name)


def _grow() -> Simulator:
    engine: Any = simulator("grow")
    for bank in (engine.registers, engine.flash):
        bank[0x00] = 0xD2  # reads by itself
        bank[0x60] = 0x65  # code identifier, no tail
        bank[0x33] = 0x00  # Code 128 off
        bank[0x0D] = 0xA3  # not the serial line
    return engine


def _newland() -> Simulator:
    engine: Any = simulator("newland")
    for name, value in (("TSUSET", "0D0A"), ("AIDENA", "0"), ("SCNMOD", "3"), ("QRCENA", "0"), ("E13ENA", "0")):
        engine.menu.put(name, value, permanently=True)
    return engine


def _honeywell() -> Simulator:
    engine: Any = simulator("honeywell")
    for name, value in (("TRGMOD", "3"), ("DECHDR", "0"), ("SUFBK2", "9909"), ("IDMENA", "0")):
        engine.menu.put(name, value, permanently=True)
    return engine


MIS_SET: dict[str, tuple[Callable[[], Simulator], set[str]]] = {
    "grow": (_grow, {"trigger", "suffix", "code128", "interface"}),
    "newland": (_newland, {"trigger", "suffix", "aim", "qr", "ean"}),
    "honeywell": (_honeywell, {"trigger", "suffix", "aim", "datamatrix"}),
    "ssi": (lambda: _as_delivered("ssi"), {"qr", "time"}),
    "m14": (lambda: _as_delivered("m14"), set()),
}


@pytest.mark.parametrize("name", [*MIS_SET] if FULL else ["grow", "newland"])
def test_what_the_driver_can_set_is_told_and_mended(
    stage: Stage, board: BareBoard, with_engine: Callable[[Simulator], None], name: str
) -> None:
    assert stage.bridge
    make, wrong = MIS_SET[name]
    engine = make()
    with_engine(engine)
    person = Person(board)
    assert _calibrated(board, person) == 0, person.events
    assert wrong <= person.mended, person.events
    assert {facts["symbol"] for facts in person.told("scan")} == ALL
    assert person.wrong == {}
    assert not engine.erased


class Odd(Line):
    """An engine that takes no commands, and makes something else of what it reads."""

    def __init__(self, makes: Callable[[bytes], bytes]) -> None:
        super().__init__(baud=115200)
        self.makes = makes

    def _frame(self, symbol: Seen) -> bytes:
        return self.makes(symbol.data) + b"\r"


ODD: dict[str, tuple[Callable[[bytes], bytes], str, set[str]]] = {
    "separator dropped": (lambda data: data.replace(b"\x1d", b""), "gs", GS1),
    "separator as text": (lambda data: data.replace(b"\x1d", b"{GS}"), "gs_text", GS1),
    "prefix": (lambda data: b"*>" + data, "prefix", ALL),
    "letter in front": (lambda data: b"j" + data, "code_id", ALL),
    "suffix": (lambda data: data + b"\t", "suffix", ALL),
    "case": (lambda data: data.swapcase(), "case", {one.english for one in SYMBOLS if one.data != one.data.swapcase()}),
    "bytes lost": (lambda data: data[:12] + data[14:], "cut", ALL - {"Product barcode: to be refused"}),
}


@pytest.mark.parametrize("way", [*ODD] if FULL else ["separator dropped"])
def test_what_only_a_set_up_code_can_mend_is_told_and_seen_to_be_mended(
    stage: Stage, board: BareBoard, with_engine: Callable[[Simulator], None], way: str
) -> None:
    assert stage.bridge
    makes, wrong, where = ODD[way]
    engine = Odd(makes)
    with_engine(engine)
    person = Person(board, b"SOMEBODY-4711")

    def event(name: str, **facts: Any) -> None:
        person.event(name, **facts)
        if len(person.told("scan")) == len(SYMBOLS) and engine.makes is makes:
            engine.makes = bytes  # a person scanned the set-up code
            for one in SYMBOLS:
                engine_of(board).present(one.data)

    try:
        work.calibrate(str(board.port), 20.0, event)
    except work.NotCalibratedError:
        pytest.fail(str(person.events))
    assert {name: found for name, found in person.wrong.items() if wrong in found}.keys() >= where
    assert person.told("other") == [{}], "what is not of the sheet is neither shown nor told"
    assert "SOMEBODY" not in str(person.events)
    assert b"SOMEBODY".hex() not in str(person.events)


def engine_of(board: BareBoard) -> Any:
    """The engine on its line."""
    return board.engine


def test_an_engine_that_is_silent_is_told_and_waited_for(
    stage: Stage, board: BareBoard, with_engine: Callable[[Simulator], None]
) -> None:
    assert stage.bridge
    engine = simulator("grow", silent=True)  # set to USB, say
    with_engine(engine)

    def scan_code() -> None:
        engine.faults.silent = False

    person = Person(board, mends=scan_code)
    assert _calibrated(board, person) == 0, person.events
    assert "no answer" in person.told("silent")[0]["why"]


def test_what_was_not_read_is_named_at_the_end(
    stage: Stage, board: BareBoard, with_engine: Callable[[Simulator], None]
) -> None:
    assert stage.bridge
    with_engine(simulator("grow", swallows_fnc1=True))
    person = Person(board)
    person._left = person._left[:3]  # a person who goes away
    assert _calibrated(board, person, 3.0) == 7
    assert {facts["symbol"] for facts in person.told("missing")} == {symbol.english for symbol in SYMBOLS[3:]}
    assert set(person.wrong) == GS1
    assert all(found == ["gs"] for found in person.wrong.values())


@pytest.mark.parametrize(("makes", "wrong"), [(makes, wrong) for makes, wrong, _ in ODD.values()], ids=[*ODD])
def test_each_way_is_told_by_a_frame(makes: Callable[[bytes], bytes], wrong: str) -> None:
    for symbol in SYMBOLS:
        data = makes(symbol.data)
        found = judged(symbol.aim, data, "newland")
        if data == symbol.data:
            assert (found.symbol, found.wrong) == (symbol, ())
        elif found.symbol is not None and not (wrong == "cut" and symbol.kind == "ean13"):
            assert found.symbol.english == symbol.english or wrong == "cut"
            assert wrong in found.wrong, symbol.english


@pytest.mark.parametrize(
    ("number", "aim", "family", "wrong"),
    [(0, "", "newland", "aim_off"), (1, "]d1", "ssi", "aim_plain"), (0, "]Q1", "honeywell", "aim_other")],
)
def test_an_identifier_that_is_missing_or_another_is_told(number: int, aim: str, family: str, wrong: str) -> None:
    assert judged(aim, SYMBOLS[number].data, family).wrong == (wrong,)
    assert judged("", SYMBOLS[number].data, "grow").wrong == ()


@pytest.mark.parametrize("data", [b"", None, b"x", b"80000000000000000031", b"(01)", b"\xff" * 600, b"8" * 2000])
def test_what_is_none_of_the_sheet_is_none(data: bytes | None) -> None:
    assert judged("", data, "line").symbol is None
