"""The load generator: many terminals on one thread, as fast as their windows let them or at a rate that is given."""

import asyncio
import random
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from scanlatch_tools.bench.fleet import Device
from scanlatch_tools.bench.lines import Line
from scanlatch_tools.errors import ToolError
from scanlatch_tools.site import Site
from scanlatch_tools.texts import _

_START_S, _SILENT_S = 60.0, 20.0
_POLL_S = 0.01
_SEED = 1


@dataclass(slots=True)
class Load:
    """Records to send, by device. Without `rate` each terminal is as far ahead of its answers as `window` says.

    With `seconds` nothing is sent after the `lead_s` in which all gets under way and these seconds; only answers
    between the two count for `per_s`. With `rate` (records a second, of all terminals together) they fall due at
    random as people scan, whether or not earlier ones were answered, and their time counts from when they fell due.
    """

    records: dict[str, list[bytes]]
    window: int
    seconds: float | None = None
    lead_s: float = 0.0
    rate: float | None = None
    sent: int = 0
    answered: int = 0
    counted: int = 0  # answers within `seconds`
    began: float = 0.0
    ended: float = 0.0  # of the last answer
    cpu: float = 0.0  # seconds that the generator used meanwhile
    pending: int = 0  # records whose first answer was "pending"
    left: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])  # records that were not sent
    took: list[float] = field(default_factory=list[float])  # seconds from record to first answer
    took_final: list[float] = field(default_factory=list[float])  # seconds from record to final verdict

    @property
    def per_s(self) -> float:
        """Records answered a second."""
        if self.seconds is None or self.ended < self.began + self.lead_s + self.seconds:  # there were too few
            return self.answered / max(self.ended - self.began, 1e-9)
        return self.counted / self.seconds

    def note(self, now: float, sent_at: float) -> None:
        """There is a first answer."""
        self.ended = now
        self.answered += 1
        self.took.append(now - sent_at)
        if self.seconds is not None and 0 <= now - self.began - self.lead_s < self.seconds:
            self.counted += 1


class Terminals:
    """Connected terminals; `run` drives one load through them."""

    def __init__(self, site: Site, devices: Sequence[tuple[Device, ssl.SSLContext]]) -> None:
        self._site = site
        self._devices = devices
        self._loop = asyncio.new_event_loop()
        self._lines: list[Line] = []

    def __enter__(self) -> "Terminals":
        self._loop.run_until_complete(asyncio.wait_for(self._connect(), _START_S))
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            line.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def run(self, load: Load, final: bool = False) -> None:
        """Send everything and wait for an answer to each, with `final` for the last word on each.

        Raises ToolError where answers stop coming.
        """
        self._loop.run_until_complete(self._run(load, final))

    def run_beside(self, flood: Load, live: Load) -> None:
        """Send all of `flood`; meanwhile, at the other terminals, `live` at its rate, until the flood is answered.

        Gives up what of `live` was not sent by then, and waits for final verdicts on the rest. Raises ToolError where
        answers stop coming.
        """
        self._loop.run_until_complete(self._run_beside(flood, live))

    async def _connect(self) -> None:
        for device, context in self._devices:
            _, line = await self._loop.create_connection(
                lambda device=device: Line(device.name, device.at), self._site.host, self._site.port, ssl=context
            )
            await line.ready.wait()
            self._lines.append(line)

    async def _run(self, load: Load, final: bool) -> None:
        for line in self._lines:
            line.prepare(load, load.records.get(line.name, []))
        cpu = time.process_time()
        load.began = load.ended = time.monotonic()
        if load.rate is None:
            await self._flood(load)
        else:
            await self._pace(load, load.rate)
        await self._quiet(load, final)
        load.cpu = time.process_time() - cpu

    async def _run_beside(self, flood: Load, live: Load) -> None:
        for line in self._lines:
            load = flood if line.name in flood.records else live
            line.prepare(load, load.records.get(line.name, []))
        both = flood, live
        for load in both:
            load.began = load.ended = time.monotonic()
        for line in self._lines:
            if line.name in flood.records:
                line.open()
        people = [line for line in self._lines if line.name in live.records]
        chance, due = random.Random(_SEED), live.began  # noqa: S311  # when boxes come is no secret
        while flood.answered < sum(map(len, flood.records.values())):
            due += chance.expovariate(live.rate or 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            line = chance.choice(people)
            if line.has_more:
                line.one(due)
            self._alive(flood, 1)
        while missing := live.sent - len(live.took_final):
            await asyncio.sleep(_POLL_S)
            self._alive(live, missing)

    async def _flood(self, load: Load) -> None:
        for line in self._lines:
            line.open()
        if load.seconds is None:
            return
        over = load.began + load.lead_s + load.seconds
        while time.monotonic() < over and any(line.has_more for line in self._lines):
            await asyncio.sleep(_POLL_S)
            self._alive(load, load.sent - load.answered)
        for line in self._lines:
            line.shut()
            load.left[line.name] = load.records.get(line.name, [])[line.sent :]

    async def _pace(self, load: Load, rate: float) -> None:
        chance = random.Random(_SEED)  # noqa: S311  # when boxes come is no secret
        due = load.began
        turn = [line for line in self._lines if line.has_more]
        while turn:
            for line in turn:
                due += chance.expovariate(rate)
                while (early := due - time.monotonic()) > 0:
                    await asyncio.sleep(early)
                line.one(due)
            turn = [line for line in turn if line.has_more]
            await asyncio.sleep(0)  # answers are taken in even where we are late
            self._alive(load, load.sent - load.answered)

    async def _quiet(self, load: Load, final: bool) -> None:
        """Until all that was sent is answered."""
        while True:
            more = sum(line.has_more for line in self._lines) if load.seconds is None else 0
            left = more + load.sent - (len(load.took_final) if final else load.answered)
            if not left:
                return
            await asyncio.sleep(_POLL_S)
            self._alive(load, left)

    def _alive(self, load: Load, left: int) -> None:
        last = max((line.heard for line in self._lines), default=0.0)
        if left and time.monotonic() - max(last, load.began) > _SILENT_S:
            raise ToolError(_("{left} of {sent} scans were not answered").format(left=left, sent=load.sent))
