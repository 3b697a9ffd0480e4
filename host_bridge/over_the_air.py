"""Settings of a terminal that go over the air: those that no value of theirs locks it out by."""

from collections.abc import Iterable, Mapping

from host_bridge.errors import BadInput, PermanentError, UnknownDevice
from host_bridge.ledger import Ledger, commands, devices
from host_bridge.renewal import NAME
from host_bridge.sessions import KINDS
from host_bridge.texts import text

# As the firmware's system/change.py takes them; it knows the ranges of the numbers, and says them.
NUMBERS = ("rescan_ms", "mode_back_s", "badge_s", "warn_hours", "lock_days")
OPERATION = "operation"
LIFE_MS = 60_000  # a terminal that was off the air for longer is not surprised by it
_BITS_31 = 1 << 31

Values = Mapping[str, int | str]


def values_of(said: Iterable[str]) -> Values:
    """Settings as a person writes them, `rescan_ms=1500`. Raises BadInput."""
    found: dict[str, int | str] = {}
    for one in said:
        key, equals, value = one.partition("=")
        if key == OPERATION and value in KINDS:
            found[key] = value
        elif key == OPERATION:
            raise BadInput(key, text("one of {choices}", choices=", ".join(KINDS)))
        elif key not in NUMBERS:
            known = ", ".join((OPERATION, *NUMBERS))
            raise BadInput(key or one, text("does not go over the air; what does: {known}", known=known))
        elif not equals or not (value.isascii() and value.isdigit()) or len(value) > len(str(_BITS_31)):
            raise BadInput(key, text("a whole number"))
        else:
            found[key] = int(value)
    if not found:
        raise BadInput("settings", text("one at least, as rescan_ms=1500"))
    return found


def change(ledger: Ledger, device: str, values: Values, now: int, life_ms: int = LIFE_MS) -> int:
    """Have a terminal take these settings, and start anew with them in a quiet moment. The command's counter.

    now: ms UTC. Raises UnknownDevice, PermanentError where it is told nothing any more.
    """
    with ledger.write() as connection:
        row = devices.lock(connection, [device]).get(device)
        if row is None:
            raise UnknownDevice(device)
        if row.is_out:
            raise PermanentError(text("{device} is {status}: nothing is sent to it", device=device, status=row.status))
        return commands.add(connection, row, NAME, values, now, now + life_ms).counter


def answered(ledger: Ledger, device: str, counter: int) -> str | None:
    """What the terminal said to it: "ok", or why it keeps those that it has; None where nothing was said yet."""
    with ledger.read() as connection:
        told = commands.told(connection, device, counter)
    return None if told is None else told[0]
