"""A day at several terminals, each answer of which is known beforehand where each is decided in its own order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from host_bridge import deliveries
from host_bridge.deliveries import Announced
from host_bridge.ledger import Ledger
from host_bridge.wire import Family, Operation, Outcome, Reason
from tests.system.patient_device import PatientDevice

_ACCEPTED = Outcome.ACCEPTED, 0
_IN_CASE = Outcome.REJECTED, int(Reason.PARENT_AND_CHILD)
_EXTRA = Outcome.REJECTED, int(Reason.NOT_ANNOUNCED)
_OVER = Outcome.REJECTED, int(Reason.SESSION_MISSING)
_TOO_LATE = Outcome.REJECTED, int(Reason.NOTHING_TO_VOID)
Told = tuple[Outcome, int]
Pause = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Load:
    """One delivery: a case with two boxes, two loose boxes of which one never comes, and one that nobody announced."""

    name: str
    case: str
    inside: tuple[str, str]
    loose: str
    missing: str
    extra: str


class Window:
    """Sells in sessions, voids, ends them, and tries more when they are over."""

    def __init__(self, device: PatientDevice, codes: Iterator[str]) -> None:
        self.device = device
        self.sold: list[str] = []
        self.voided: list[str] = []
        self._codes = codes
        self._expected: dict[int, Told] = {}

    def work(self, sessions: Sequence[str], pause: Pause) -> None:
        """One customer a session."""
        for session in sessions:
            wrong, right, late = (next(self._codes) for _ in range(3))
            self.voided.append(wrong)
            self.sold.append(right)
            first = self.device.present(wrong, session=session)
            kept = self._expect(_ACCEPTED, right, session=session)
            pause()
            self._void(_ACCEPTED, first, session)
            self._expect(_ACCEPTED, "END", Operation.SESSION_END, session=session, family=Family.CONTROL)
            pause()
            self._expect(_OVER, late, session=session)
            self._void(_TOO_LATE, kept, session)

    def wrong(self) -> dict[int, tuple[Told | None, Told]]:
        """What it was told that is not as expected, by seq."""
        return _wrong(self.device, self._expected)

    def _void(self, told: Told, target: int, session: str) -> None:
        self._expect(told, "VOID", Operation.VOID, session=session, target=target, family=Family.CONTROL)

    def _expect(self, told: Told, code: str, operation: Operation = Operation.SALE, **changed: object) -> int:
        seq = self.device.present(code, operation, **changed)
        self._expected[seq] = told
        return seq


class Dock:
    """Scans what comes in; another does the same at the same time."""

    def __init__(self, device: PatientDevice) -> None:
        self.device = device
        self._expected: dict[int, Told] = {}

    def work(self, loads: Sequence[Load], pause: Pause) -> None:
        """One delivery after the other."""
        for load in loads:
            steps = (load.case, _ACCEPTED), (load.inside[1], _IN_CASE), (load.loose, _ACCEPTED), (load.extra, _EXTRA)
            for code, told in steps:
                self._expected[self.device.present(code, Operation.RECEIVE)] = told
                pause()

    def wrong(self) -> dict[int, tuple[Told | None, Told]]:
        """What it was told that is not as expected, by seq."""
        return _wrong(self.device, self._expected)


def announced(ledger: Ledger, name: str, site: str, codes: Iterator[str], now: int) -> Load:
    """A delivery on its way; `now` ms UTC."""
    case, one, two, loose, missing, extra = (next(codes) for _ in range(6))
    items = [Announced(case), Announced(one, case), Announced(two, case), Announced(loose), Announced(missing)]
    deliveries.announce(ledger, name, site, "a wholesaler", items, now)
    return Load(name, case, (one, two), loose, missing, extra)


def check_loads(ledger: Ledger, loads: Sequence[Load]) -> None:
    """Each counted once and whole, whoever counted it; what nobody announced is noted with the oldest."""
    for load in loads:
        result = deliveries.result(ledger, load.name)
        assert (result.seen, result.missing) == (tuple(sorted((*load.inside, load.loose))), (load.missing,))
        extra = [one.extra for one in loads] if load is loads[0] else []
        assert result.extra == tuple(sorted(extra))


def _wrong(device: PatientDevice, expected: dict[int, Told]) -> dict[int, tuple[Told | None, Told]]:
    told = {seq: (one.outcome, one.reason) if (one := device.final(seq)) else None for seq in expected}
    return {seq: (told[seq], wanted) for seq, wanted in expected.items() if told[seq] != wanted}
