"""One transaction's work: what it knows, and what goes out once it is committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from host_bridge.agreement import Agreements, Held
from host_bridge.config import Site
from host_bridge.ledger import Connection
from host_bridge.ledger.commands import CommandRow
from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.verdicts import Final
from host_bridge.wire import Verdict


@dataclass(slots=True)
class ReceiptDue:
    """A receipt that is to go out; `head` is the digest of the head it answers."""

    upto: int
    digest: bytes
    head: bytes | None


@dataclass(slots=True)
class After:
    """What goes out after the commit, in this order."""

    verdicts: list[tuple[DeviceRow, Verdict]] = field(default_factory=list[tuple[DeviceRow, Verdict]])
    finals: list[tuple[DeviceRow, Final]] = field(default_factory=list[tuple[DeviceRow, Final]])
    receipts: list[tuple[DeviceRow, ReceiptDue]] = field(default_factory=list[tuple[DeviceRow, ReceiptDue]])
    commands: list[tuple[DeviceRow, CommandRow]] = field(default_factory=list[tuple[DeviceRow, CommandRow]])
    # Commands under another bridge key than the one that the device is known to use: its id.
    under: list[tuple[DeviceRow, CommandRow, str]] = field(default_factory=list[tuple[DeviceRow, CommandRow, str]])
    submissions: int = 0  # new rows that the outbox can take at once
    next_pending: int | None = None  # when a pending verdict made here falls due, ms UTC


@dataclass(slots=True)
class Work:
    """A transaction under way. `devices` are locked rows, changed in place and written back at its end."""

    connection: Connection
    now: int  # ms UTC
    deadline_ms: int  # how long a pending verdict is held back
    devices: dict[str, DeviceRow]
    after: After = field(default_factory=After)
    touched: set[str] = field(default_factory=set[str])  # devices whose rows changed
    agreements: Agreements | None = None  # the bridge's keys
    offered: Held | None = None  # the one that terminals are to go over to
    platform_down: bool = False  # the platform is out of reach, as far as this bridge knows
    sites: Mapping[str, Site] = field(default_factory=dict[str, Site])  # what each site asks for, by id
    # Of heads that came in this batch the greatest uptime, by device and boot.
    heard: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
