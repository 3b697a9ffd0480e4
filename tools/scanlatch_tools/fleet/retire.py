"""Retires a terminal: it is told to wipe its keys, and only when it has said so is it out of the registry."""

import time
from dataclasses import dataclass

from host_bridge.clock import SystemClock
from host_bridge.devices import Registry
from host_bridge.errors import PermanentError, UnknownDevice
from host_bridge.ledger import Ledger, commands, devices
from scanlatch_tools.texts import _

WAIT_S = 60  # the bridge's round is every 10 s; a terminal that is there answers within a second
_LATER_S = 5  # between the last moment at which the terminal obeys, and its answer
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Retired:
    """What came of it: said is the terminal's answer, None where it gave none; done: it has wiped its keys."""

    said: str | None
    done: bool


def retire(ledger: Ledger, registry: Registry, device: str, wait_s: float = WAIT_S) -> Retired:
    """Tell a terminal to wipe its keys, and wait for its answer through the running bridge.

    Raises:
        PermanentError: it is out already.
        UnknownDevice.
    """
    now, counter = SystemClock().now(), 0
    with ledger.write() as connection:
        row = devices.lock(connection, [device]).get(device)
        if row is None:
            raise UnknownDevice(device)
        if row.is_out:
            raise PermanentError(_("{device} is {status} already").format(device=device, status=row.status))
        said = commands.last(connection, device, "retire")[1]  # "ok": it came when nobody waited for it any more
        if said != "ok":
            counter = commands.add(connection, row, "retire", {}, now, now + int(wait_s * 1000)).counter
            said = None
    if said is None:
        said = _answer(ledger, device, counter, wait_s + _LATER_S)
    if said == "ok":
        registry.retire(device)
    return Retired(said, said == "ok")


def _answer(ledger: Ledger, device: str, counter: int, wait_s: float) -> str | None:
    deadline = time.monotonic() + wait_s
    while True:
        with ledger.read() as connection:
            said = commands.answer(connection, device, counter)
        if said is not None or time.monotonic() > deadline:
            return said
        time.sleep(_POLL_S)
