"""Messages that wait for intake: what a person waits for goes before what an outage has left behind."""

import re
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from host_bridge.late import is_late
from host_bridge.opening import Inbound

TRANCHE = 64  # late records in one batch: whoever scans now waits for one such at most
COMPANY = 16  # of them in a batch with others: these are not held up, and yet the late ones come on
# A scan's version, seq, prev and captured_at, as its one encoding has them (docs/wire.cddl). What is not so is no late
# record of an honest terminal; intake will say what it is.
_CAPTURED = re.compile(
    rb"\x01\x01\x02(?:[\x00-\x17]|\x18.|\x19..|\x1a.{4}|\x1b.{8})\x03\x58\x20.{32}\x04\x1b(.{8})", re.DOTALL
)


class Inbox:
    """One thread puts, another takes. `now` gives ms UTC."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._arrived: SimpleQueue[Inbound | None] = SimpleQueue()
        self._crowded = False  # messages came together the last time
        self._live: deque[Inbound] = deque()
        self._late: deque[Inbound] = deque()

    def __len__(self) -> int:
        return self._arrived.qsize() + len(self._live) + len(self._late)

    def put(self, message: Inbound) -> None:
        """There is a message."""
        self._arrived.put(message)

    def interrupt(self) -> None:
        """Let `take` return at once; safe in a signal handler."""
        self._arrived.put(None)

    def take(self, size: int, wait_s: float, company_s: float = 0.0) -> list[Inbound]:
        """Up to `size` messages; waits `wait_s` for the first. Where messages come together anyhow, those here wait
        `company_s` for more to share their commit: it costs as much as fifteen records. A lone one never waits.

        Late ones have half a batch at most beside live ones: where a batch is one message they wait for all of these.
        """
        whole = self._sort(0.0 if self._live or self._late else wait_s)
        if whole and self._crowded and 0 < len(self._live) + len(self._late) < size:
            time.sleep(company_s)
            self._sort(0.0)
        late = min(len(self._late), *((COMPANY, size // 2) if self._live else (TRANCHE, size)))
        batch = [self._live.popleft() for _ in range(min(len(self._live), size - late))]
        batch += [self._late.popleft() for _ in range(late)]
        self._crowded = len(batch) > 1
        return batch

    def _sort(self, wait_s: float) -> bool:
        """Put in its place what has arrived; False where that was interrupted."""
        try:
            message = self._arrived.get(timeout=wait_s) if wait_s > 0 else self._arrived.get_nowait()
            while message is not None:
                (self._late if self._is_late(message) else self._live).append(message)
                message = self._arrived.get_nowait()
        except Empty:
            return True
        return False

    def _is_late(self, message: Inbound) -> bool:
        if not message.topic.endswith("/scan"):
            return False
        found = _CAPTURED.search(message.payload)
        return found is not None and is_late(int.from_bytes(found[1]), self._now())
