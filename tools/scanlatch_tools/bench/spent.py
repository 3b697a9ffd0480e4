"""What a stretch of work took of each process: seconds of CPU, and calls of the platform."""

from collections.abc import Sequence
from dataclasses import dataclass

from scanlatch_tools.bench.child import Child, cpu_of
from scanlatch_tools.bench.ground import Ground


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU. A bridge's are its intake's and MQTT's, every verdict included, and its settlement's."""

    scans: float
    settlement: float
    verdicts: float  # of `scans`: sealing final verdicts in the settlement's thread
    calls: float  # of the platform, a number
    broker: float
    platform: float
    server: float  # the ledger's, where it is a process of its own

    def __sub__(self, before: "Spent") -> "Spent":
        names = self.__slots__
        return Spent(*(getattr(self, name) - getattr(before, name) for name in names))


def by_now(place: Ground, bridges: Sequence[Child]) -> Spent:
    """Since the start of each process."""
    told = [child.cpu() for child in bridges]

    def of(name: str) -> float:
        return sum(one.get(name, 0.0) for one in told)

    settlement = of("outbox") - of("verdicts")
    return Spent(
        of("all") - settlement,
        settlement,
        of("verdicts"),
        of("calls"),
        cpu_of(place.broker.pid),
        cpu_of(place.platform.process.pid),
        place.database.cpu(),
    )
