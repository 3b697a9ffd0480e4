"""What is scanned while the flash erases is in the receive buffer, as far as that goes."""

from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.stage import Stage
from scanlatch_tools.twin.device import twin_board
from scanlatch_tools.twin.engines import simulator
from scanlatch_tools.twin.trace import Line

from tests.system.conftest import SITE, STOCK
from tests.system.test_engines import LONG

BAUD = 115200
ERASE_MS = 400  # the longest that data sheets allow
FIRST, *BURST = (code.encode() for code in STOCK[-101:-80])
_EVERY_S = 0.098  # 20 scans in 2 s
_DRAINED_S = 20


def _scanned_while_it_erases(stage: Stage, device: str, rxbuf: int) -> Desk:
    """A long QR and then 20 codes in 2 s, from the moment when an erase begins."""
    engine = simulator("line", baud=BAUD, interval_s=_EVERY_S)
    board = twin_board(engine)
    board = board.model_copy(update={"uart": board.uart.model_copy(update={"rxbuf": rxbuf})})
    twin = stage.terminal(device, SITE, engine=engine, board=board, erase_ms=ERASE_MS)
    desk = Desk(device, SITE, twin)
    desk.wait_ready()
    mark = twin.mark()
    assert desk.hold_text(FIRST, frozenset({"kept"})).answer == "kept"
    erase = twin.wait_for(_erases, after=mark)
    twin.scan(LONG, "]Q3")
    for code in BURST:
        twin.scan(code)
    arrived = twin.wait_for(lambda line: line["what"] == "engine" and line["reads"] == 2, after=erase["n"])
    assert arrived["at"] < erase["at"] + ERASE_MS, "it came while the flash erased"
    twin.wait_for(lambda line: line["what"] == "engine" and line["reads"] == 2 + len(BURST), after=arrived["n"])
    return desk


def _erases(line: Line) -> bool:
    return line["what"] == "flash" and line["op"] == "erase"


def test_nothing_is_lost_while_the_flash_erases(stage: Stage) -> None:
    desk = _scanned_while_it_erases(stage, "d-stall-01", rxbuf=4096)
    with Books(stage.site) as books:
        assert books.wait_until_holds(desk.device, [FIRST, LONG, *BURST], _DRAINED_S)
        assert len(books.entries(desk.device)) == 2 + len(BURST)
        assert books.unbroken(desk.device)
    assert desk.twin.engine.lost == 0
    assert not any("lost" in line for line in desk.twin.trace())


def test_a_receive_buffer_of_256_bytes_overruns_and_that_is_counted(stage: Stage) -> None:
    desk = _scanned_while_it_erases(stage, "d-stall-02", rxbuf=256)
    with Books(stage.site) as books:
        assert books.wait_until_holds(desk.device, [FIRST, BURST[-1]], _DRAINED_S)
        assert not books.wait_until_holds(desk.device, [LONG], 0)
    lost = [line["lost"] for line in desk.twin.trace() if "lost" in line]
    assert desk.twin.engine.lost == sum(lost) >= len(LONG) - 256
