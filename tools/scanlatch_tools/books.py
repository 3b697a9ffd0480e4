"""What a site's ledger holds of its terminals, read beside the running bridge."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType

from host_bridge import wire
from host_bridge.ledger import open_ledger, scans
from scanlatch_tools.site import Site

_ALL = 1 << 62
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in the ledger: what was decided on it, None while that waits for a lower seq."""

    seq: int
    message: bytes
    outcome: wire.Outcome | None
    reason: int


class Books:
    """The ledger of a site, for reading; a context manager."""

    def __init__(self, site: Site) -> None:
        self._ledger = open_ledger(site.ledger_url)

    def __enter__(self) -> "Books":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ledger.close()

    def entries(self, device: str) -> list[Entry]:
        """All records of one device, in order of seq."""
        with self._ledger.read() as connection:
            kept = scans.messages(connection, device, 0, _ALL)
            today = scans.today(connection, [(device, seq) for seq, _ in kept])
        found: list[Entry] = []
        for seq, message in kept:
            verdict = today.get((device, seq))
            outcome = None if verdict is None else wire.Outcome(verdict.outcome)
            found.append(Entry(seq, message, outcome, 0 if verdict is None else verdict.reason))
        return found

    def unbroken(self, device: str) -> bool:
        """Whether this device's records are 1, 2, 3, ... and each carries the digest of the one before it."""
        before = bytes(32)
        for place, entry in enumerate(self.entries(device), start=1):
            if entry.seq != place or before not in entry.message:
                return False
            before = wire.digest(entry.message)
        return True

    def wait_until_holds(self, device: str, contents: Iterable[bytes], timeout: float) -> bool:
        """Wait until every one of these was read in some record; whether so within `timeout` seconds."""
        wanted = list(contents)
        return _waited(timeout, lambda: self._holds(device, wanted))

    def _holds(self, device: str, contents: list[bytes]) -> bool:
        messages = [entry.message for entry in self.entries(device)]
        return all(any(content in message for message in messages) for content in contents)

    def wait_until_final(self, device: str, seqs: Iterable[int], timeout: float) -> bool:
        """Wait until all of these records have their final verdict; whether they have within `timeout` seconds."""
        wanted = set(seqs)
        return _waited(timeout, lambda: wanted <= self._final(device))

    def _final(self, device: str) -> set[int]:
        return {one.seq for one in self.entries(device) if one.outcome not in (None, wire.Outcome.PENDING)}


def _waited(timeout: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True
