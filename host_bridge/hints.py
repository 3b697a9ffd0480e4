"""Keeps what terminals say of themselves, their status and their health: the newest of each, written now and then."""

import json
import math
from contextlib import suppress
from typing import Any, cast

from host_bridge import metrics
from host_bridge.errors import LedgerBusy
from host_bridge.ledger import Ledger, hints
from host_bridge.opening import HINTS, Inbound, place

MOST = 20_000  # of terminals and kinds that wait to be written; what comes above is dropped
LARGEST = 4_096  # bytes of a message, as of every other
DEEPEST = 8  # tables and lists inside each other: whoever reads it back has no more of a stack left than others
_BITS_63 = 1 << 63


class Hints:
    """What has come and is not written yet. Never evidence: nothing waits for it, and a dead bridge's share is lost."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._said: dict[tuple[str, str], tuple[str, int]] = {}
        self._births: dict[str, tuple[int, int]] = {}  # (boot, connection) of the last, by device

    def note(self, message: Inbound, now: int) -> None:
        """Take a message from the broker; one that is no hint is left alone. now: ms UTC."""
        if not message.topic.endswith(("/health", "/status")):
            return
        where = place(message.topic)
        if where is None or where[2] not in HINTS:
            return
        _, device, kind = where
        told = _told(message.payload)
        if told is None:
            metrics.refused.labels(kind, "not JSON").inc()
        elif (kind == "health" or self._is_newest(device, told)) and (
            (device, kind) in self._said or len(self._said) < MOST
        ):
            self._said[device, kind] = json.dumps(told, ensure_ascii=True), now

    def write(self) -> None:
        """Write them into the ledger, where it is not busy; what is not written now is the next time."""
        if not self._said:
            return
        with suppress(LedgerBusy):
            with self._ledger.write() as connection:
                hints.put(connection, self._said)
            self._said = {}

    def _is_newest(self, device: str, status: dict[str, Any]) -> bool:
        """Whether no later birth is known: a Will may come behind the next connection's birth."""
        boot, link = status.get("boot"), status.get("connection")
        if not isinstance(boot, int) or not isinstance(link, int):
            return False
        if (boot, link) < self._births.get(device, (0, 0)):
            return False
        if device in self._births or len(self._births) < MOST:
            self._births[device] = boot, link
        return True


def _told(payload: bytes) -> dict[str, Any] | None:
    if len(payload) > LARGEST:
        return None
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) and _is_plain(found, DEEPEST) else None


def _is_plain(value: Any, left: int) -> bool:
    """Whether it is nested no deeper than `left`, and all its numbers are such as others can reckon with."""
    match value:
        case bool() | str() | None:
            return True
        case int():
            return -_BITS_63 <= value < _BITS_63
        case float():
            return math.isfinite(value)
        case dict():
            return left > 0 and all(_is_plain(one, left - 1) for one in cast("dict[str, Any]", value).values())
        case _:
            return left > 0 and all(_is_plain(one, left - 1) for one in value)
