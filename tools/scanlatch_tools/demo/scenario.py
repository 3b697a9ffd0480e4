"""The day of the demo: what is held under the beam, what is cut when, and what must be seen."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scanlatch_tools.books import Books
from scanlatch_tools.demo.desk import Desk, Scan
from scanlatch_tools.stage import Stage
from scanlatch_tools.texts import _
from scanlatch_tools.twin import pictures

WINDOW_SITE, OTHER_SITE = "clinic-7", "pharmacy-3"
_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "exempt", "error"})
_FINAL_S = 60.0  # a broker that forgot what it had acknowledged is made up for after 30 s
_AGAIN_S = 1.7  # the same symbol within 1.5 s would be a bounce

# Invented: nobody's boxes.
FIRST, GS1 = "83386520001941653320", "(01)04150999999994(21)89X7(17)261231(10)LOT42"
GS1_CODE = "01041509999999942189X7"
OFFLINE = [f"8101235000000015{tail}" for tail in ("7474", "7581", "7698")]
LATE, CUT = "87709840000000015538", "88298420000560224025"
PRODUCT = "6901234567892"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: what was done, at which terminal, what was seen, and whether that was right."""

    title: str
    desk: str
    wanted: str
    seen: str
    good: bool
    scan: Scan | None = None


class Day:
    """Runs the scenario on a stage; `steps` has what happened so far."""

    def __init__(self, stage: Stage, window: Desk, other: Desk, wait: Callable[[float], None]) -> None:
        self._stage = stage
        self._window = window
        self._other = other
        self._wait = wait
        self.steps: list[Step] = []
        self.pending_then_final = 0

    def run(self) -> Iterator[Step]:
        """Go through the day; yields each step when it is over."""
        for part in (self._without_certificate, self._at_the_window, self._wrong_ones, self._broker_cut):
            yield from self._kept(part())
        yield from self._kept(self._platform_cut())
        yield from self._kept(self._power_cut())

    def _kept(self, steps: Iterator[Step]) -> Iterator[Step]:
        for step in steps:
            self.steps.append(step)
            yield step

    def _without_certificate(self) -> Iterator[Step]:
        refused = not may_connect_without_certificate(self._stage)
        yield Step(_("a client without a certificate"), "-", "refused", "refused" if refused else _("let in"), refused)

    def _at_the_window(self) -> Iterator[Step]:
        first = self._draw("first", FIRST, "code128")
        gs1 = self._draw("gs1", GS1, "gs1-datamatrix")
        yield self._hold(_("a box: 20 digits, Code 128"), self._window, first, "accepted")
        self._wait(_AGAIN_S)
        yield self._hold(_("the same box again, same window"), self._window, first, "duplicate")
        yield self._hold(_("the same code at another site"), self._other, first, "rejected")
        yield self._hold(_("a box: GS1 DataMatrix"), self._window, gs1, "accepted")

    def _wrong_ones(self) -> Iterator[Step]:
        first = self._draw("first", FIRST, "code128")
        torn = self._stage.folder / "torn.png"
        pictures.tear(first, torn)
        product = self._draw("product", PRODUCT, "ean13")
        yield self._hold(_("the EAN-13 beside it"), self._window, product, "wrong_symbol")
        yield self._hold(_("a torn code"), self._window, torn, "torn")

    def _broker_cut(self) -> Iterator[Step]:
        mark = self._window.twin.mark()
        self._stage.broker.stop()
        self._window.wait_offline(after=mark)
        scans: list[Scan] = []
        for number, code in enumerate(OFFLINE, start=1):
            picture = self._draw(f"offline{number}", code, "code128")
            step = self._hold(
                _("broker cut: box {number} of {count}").format(number=number, count=len(OFFLINE)),
                self._window,
                picture,
                "pending",
            )
            if step.scan:
                scans.append(step.scan)
            yield step
        self._stage.broker.start()
        yield self._finals(_("broker back: drained in order, all answered"), scans, "accepted")

    def _platform_cut(self) -> Iterator[Step]:
        self._stage.platform.turn(outage="refuse")
        step = self._hold(_("platform cut: a box"), self._window, self._draw("late", LATE, "code128"), "pending")
        yield step
        self._stage.platform.turn(outage="none")
        yield self._finals(_("platform back: the final answer"), [step.scan] if step.scan else [], "accepted")

    def _power_cut(self) -> Iterator[Step]:
        picture = self._draw("cut", CUT, "code128")
        scan = self._window.hold(picture, frozenset({"kept"}))
        self._window.twin.kill()
        good = scan.answer == "kept"
        yield Step(_('power cut right after "kept"'), self._window.device, "kept", scan.answer, good, scan)
        self._window.twin.start()
        yield self._finals(_("power back: nothing lost"), [scan], "accepted")

    def _hold(self, title: str, desk: Desk, picture: Path, wanted: str) -> Step:
        scan = desk.hold(picture, _ANSWERS)
        return Step(title, desk.device, wanted, scan.answer, scan.answer == wanted, scan)

    def _finals(self, title: str, scans: list[Scan], wanted: str) -> Step:
        """What the ledger says in the end of records of the window, all of which were pending or unanswered."""
        scans = [scan for scan in scans if scan.seq]
        seqs = [scan.seq for scan in scans]
        device = self._window.device
        with Books(self._stage.site) as books:
            books.wait_until_final(device, seqs, _FINAL_S)
            outcomes = {entry.seq: entry.outcome for entry in books.entries(device)}
            unbroken = books.unbroken(device)
        said = [outcome.name.lower() if (outcome := outcomes.get(seq)) is not None else "nothing" for seq in seqs]
        self.pending_then_final += sum(
            scan.answer == "pending" and outcome not in ("pending", "nothing")
            for scan, outcome in zip(scans, said, strict=True)
        )
        good = unbroken and bool(seqs) and all(outcome == wanted for outcome in said)
        seen = ", ".join(dict.fromkeys(said)) or "nothing"
        return Step(title, device, wanted, seen if unbroken else _("chain broken"), good)

    def _draw(self, name: str, content: str, kind: pictures.Kind) -> Path:
        path = self._stage.folder / f"{name}.png"
        pictures.draw(content, kind, path)
        return path


def may_connect_without_certificate(stage: Stage) -> bool:
    """Whether the broker takes a client that has no certificate."""
    context = ssl.create_default_context(cafile=str(stage.site.folder / "ca" / "ca.pem"))
    connect = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04demo"
    try:
        with (
            socket.create_connection((stage.site.host, stage.site.port), 5) as plain,
            context.wrap_socket(plain, server_hostname=stage.site.verify) as link,
        ):
            link.sendall(connect)
            return link.recv(4)[:1] == b"\x20"
    except OSError:  # TLS errors are of this kind too
        return False
