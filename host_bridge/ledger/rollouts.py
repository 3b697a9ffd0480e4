"""Rows of the updates: bundles, rollouts, and how far each terminal of a rollout is.

What is kept: every bundle's manifest, every rollout and each terminal's outcome for good; a bundle's content until its
rollout is over; of the commands `update-begin` and `update-commit` those that were answered, of `update-chunk` at most
the one that is on its way to a terminal.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from host_bridge.bundle import Bundle
from host_bridge.ledger.chunks import chunks
from host_bridge.ledger.open import row_lock
from host_bridge.ledger.schema import commands, devices, heads, metadata, only

# A rollout: running | waiting (for a person's word) | stopped (by its thresholds, or a person) | done | dropped.
RUNNING, WAITING, STOPPED, DONE, DROPPED = "running", "waiting", "stopped", "done", "dropped"
OPEN = (RUNNING, WAITING, STOPPED)
# A terminal in it: queued | sending | trial (has it, and restarts) | silent (counts as failed, may yet speak) | done |
# failed | skipped (not for it, or not ours any more).
QUEUED, SENDING, TRIAL, SILENT, FAILED, SKIPPED = "queued", "sending", "trial", "silent", "failed", "skipped"
IS_ACTIVE = "state IN ('queued', 'sending', 'trial', 'silent')"
IS_OPEN = "state IN ('running', 'waiting', 'stopped')"
_ACTIVE = sa.text(f"rollout_devices.{IS_ACTIVE}")

bundles = sa.Table(
    "bundles",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),  # SHA-256 of the manifest's message
    sa.Column("manifest", sa.LargeBinary, nullable=False),  # the message
    sa.Column("content", sa.LargeBinary),  # null once no rollout needs it
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("counter", sa.BigInteger, nullable=False),
    sa.Column("family", sa.String(32), nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("added_at", sa.BigInteger, nullable=False),
)

rollouts = sa.Table(
    "rollouts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("bundle", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("part", sa.Integer, nullable=False),  # number of the group at hand, from 1
    sa.Column("size", sa.Integer, nullable=False),  # of a group: terminals, or percent of them
    sa.Column("percent", sa.Boolean, nullable=False),
    sa.Column("success", sa.Integer, nullable=False),  # percent of a group that must succeed
    sa.Column("errors", sa.Integer, nullable=False),  # failures of a group that are borne
    sa.Column("pause", sa.Boolean, nullable=False),  # wait for a person's word behind each group
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("why", sa.Text),  # it is not running
    only("rollouts_open", "id", where=IS_OPEN),
)

rollout_devices = sa.Table(
    "rollout_devices",
    metadata,
    sa.Column("rollout", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("device", sa.String(32), primary_key=True),
    sa.Column("part", sa.Integer, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("at", sa.Integer),  # bytes that the terminal has; null: it is to be asked with update-begin
    sa.Column("counter", sa.BigInteger),  # of the command that is on its way
    sa.Column("tries", sa.Integer, nullable=False),  # refusals of one kind that were met with another try
    sa.Column("waits", sa.Integer, nullable=False),  # times in a row that no answer came
    sa.Column("boot", sa.BigInteger),  # boot counter when the new firmware was set on trial
    sa.Column("next_at", sa.BigInteger, nullable=False),  # not looked at before
    sa.Column("since", sa.BigInteger, nullable=False),  # when it joined its group
    sa.Column("moved_at", sa.BigInteger, nullable=False),  # when it last came on
    sa.Column("detail", sa.Text),
    sa.Column("put_off_at", sa.BigInteger),  # since when it has had no room or no time for it; null once it took some
    only("rollout_devices_active", "device", where=IS_ACTIVE),
    sa.Index("rollout_devices_part", "rollout", "part", "state"),
)


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """A rollout as the ledger has it."""

    id: int
    bundle: bytes
    state: str
    part: int
    size: int
    percent: bool
    success: int
    errors: int
    pause: bool
    started_at: int
    changed_at: int
    why: str | None


@dataclass(slots=True)
class Place:
    """How far one terminal of a rollout is."""

    rollout: int
    device: str
    part: int
    state: str
    at: int | None
    counter: int | None
    tries: int
    waits: int
    boot: int | None
    next_at: int
    since: int
    moved_at: int
    detail: str | None
    put_off_at: int | None


@dataclass(frozen=True, slots=True)
class Package:
    """A bundle without its content."""

    digest: bytes
    manifest: bytes
    version: str
    counter: int
    family: str
    size: int


_ROLLOUT = sa.select(*(rollouts.c[one.name] for one in fields(RolloutRow)))
_PLACE = sa.select(*(rollout_devices.c[one.name] for one in fields(Place)))
_PACKAGE = sa.select(*(bundles.c[one.name] for one in fields(Package)))
_FIXED = ("rollout", "device")


def add_bundle(connection: sa.Connection, bundle: Bundle, now: int) -> None:
    """Keep a bundle; its content again where that was let go of."""
    told = bundle.manifest
    known = sa.update(bundles).where(bundles.c.digest == bundle.digest).values(content=bundle.content)
    if connection.execute(known).rowcount == 0:
        values = {"version": told.version, "counter": told.counter, "family": told.family, "size": told.size}
        values |= {"digest": bundle.digest, "manifest": bundle.signed, "content": bundle.content, "added_at": now}
        connection.execute(sa.insert(bundles), [values])


def package(connection: sa.Connection, digest: bytes) -> Package:
    """A bundle that a rollout names."""
    return Package(*connection.execute(_PACKAGE.where(bundles.c.digest == digest)).one())


def content(connection: sa.Connection, digest: bytes) -> bytes | None:
    """A bundle's content; None once it was let go of."""
    return connection.scalar(sa.select(bundles.c.content).where(bundles.c.digest == digest))


def let_go(connection: sa.Connection) -> None:
    """Drop contents that no open rollout needs."""
    needed = sa.select(rollouts.c.bundle).where(sa.text(IS_OPEN))
    old = sa.update(bundles).where(bundles.c.content.is_not(None), bundles.c.digest.not_in(needed))
    connection.execute(old.values(content=None))


def add(connection: sa.Connection, **values: Any) -> RolloutRow:
    """A new rollout."""
    made = connection.execute(sa.insert(rollouts).values(**values)).inserted_primary_key
    return get(connection, made[0] if made else 0)


def get(connection: sa.Connection, rollout: int) -> RolloutRow:
    """One that is there."""
    return RolloutRow(*connection.execute(_ROLLOUT.where(rollouts.c.id == rollout)).one())


def open_one(connection: sa.Connection, locked: bool = False) -> RolloutRow | None:
    """The rollout that is not over; there is one at most."""
    statement = _ROLLOUT.where(sa.text(IS_OPEN)).order_by(rollouts.c.id.desc()).limit(1)
    row = connection.execute(row_lock(statement) if locked else statement).first()
    return None if row is None else RolloutRow(*row)


def newest(connection: sa.Connection) -> RolloutRow | None:
    """The last that was begun, over or not."""
    row = connection.execute(_ROLLOUT.order_by(rollouts.c.id.desc()).limit(1)).first()
    return None if row is None else RolloutRow(*row)


def change(connection: sa.Connection, rollout: int, **values: Any) -> None:
    """Write columns of a rollout."""
    connection.execute(sa.update(rollouts).where(rollouts.c.id == rollout).values(**values))


def join(connection: sa.Connection, rollout: int, part: int, ids: Collection[str], now: int) -> None:
    """These terminals make up a group; those that were in one are begun anew."""
    fresh: dict[str, Any] = {"part": part, "state": QUEUED, "at": None, "counter": None, "tries": 0, "waits": 0}
    fresh |= {"boot": None, "next_at": now, "since": now, "moved_at": now, "detail": None, "put_off_at": None}
    known = places(connection, rollout)
    again = sa.update(rollout_devices).where(
        rollout_devices.c.rollout == rollout, rollout_devices.c.device == sa.bindparam("of")
    )
    if old := [{"of": one} for one in sorted(ids) if one in known]:
        connection.execute(again.values(**fresh), old)
    if new := [{"rollout": rollout, "device": one, **fresh} for one in sorted(ids) if one not in known]:
        connection.execute(sa.insert(rollout_devices), new)


def places(connection: sa.Connection, rollout: int) -> dict[str, Place]:
    """Every terminal that a rollout has come to, by id."""
    rows = connection.execute(_PLACE.where(rollout_devices.c.rollout == rollout).order_by(rollout_devices.c.device))
    return {row.device: Place(*row) for row in rows}


def active(connection: sa.Connection, rollout: int) -> list[Place]:
    """Those of its terminals for which something is under way."""
    return [Place(*row) for row in connection.execute(_PLACE.where(_ACTIVE, rollout_devices.c.rollout == rollout))]


def counts(connection: sa.Connection, rollout: int, part: int) -> dict[str, int]:
    """How many terminals of a group are in which state."""
    group = rollout_devices.c.rollout == rollout, rollout_devices.c.part == part
    statement = sa.select(rollout_devices.c.state, sa.func.count()).where(*group).group_by(rollout_devices.c.state)
    return {row[0]: row[1] for row in connection.execute(statement)}


def due(connection: sa.Connection, rollout: int, part: int, now: int, at_once: int, limit: int) -> list[str]:
    """Terminals that something is to be done for: those under way first, new ones while fewer than `at_once` are."""
    group = rollout_devices.c.rollout == rollout, rollout_devices.c.next_at <= now
    order = rollout_devices.c.next_at, rollout_devices.c.device
    going = sa.select(rollout_devices.c.device).where(_ACTIVE, *group, rollout_devices.c.state.in_((SENDING, TRIAL)))
    found = list(connection.scalars(going.order_by(*order).limit(limit)))
    busy = connection.scalar(
        sa.select(sa.func.count()).where(
            _ACTIVE, rollout_devices.c.rollout == rollout, rollout_devices.c.state == SENDING
        )
    )
    room = min(limit - len(found), at_once - (busy or 0))
    if room > 0:
        waiting = sa.select(rollout_devices.c.device).where(_ACTIVE, *group, rollout_devices.c.state == QUEUED)
        found += connection.scalars(waiting.where(rollout_devices.c.part <= part).order_by(*order).limit(room))
    return found


def lock(connection: sa.Connection, rollout: int, ids: Sequence[str]) -> list[Place]:
    """These terminals of a rollout, locked; their own rows in `devices` are locked before."""
    statement = _PLACE.where(rollout_devices.c.rollout == rollout, rollout_devices.c.device.in_(ids))
    return [Place(*row) for row in connection.execute(row_lock(statement.order_by(rollout_devices.c.device)))]


def of_device(connection: sa.Connection, device: str) -> Place | None:
    """What is under way for a terminal whose row is locked; None where nothing is."""
    statement = _PLACE.where(_ACTIVE, rollout_devices.c.device == device).order_by(rollout_devices.c.rollout.desc())
    row = connection.execute(row_lock(statement.limit(1))).first()
    return None if row is None else Place(*row)


def save(connection: sa.Connection, place: Place) -> None:
    """Write back how far a terminal is."""
    values = {one.name: getattr(place, one.name) for one in fields(Place) if one.name not in _FIXED}
    mine = rollout_devices.c.rollout == place.rollout, rollout_devices.c.device == place.device
    connection.execute(sa.update(rollout_devices).where(*mine).values(**values))


def abandon(connection: sa.Connection, rollout: int, why: str) -> None:
    """Nothing more is done for the terminals of a rollout that is over."""
    mine = sa.update(rollout_devices).where(_ACTIVE, rollout_devices.c.rollout == rollout)
    connection.execute(mine.values(state=SKIPPED, detail=why, counter=None))


def forget_command(connection: sa.Connection, place: Place, *, answered: bool) -> None:
    """Drop the command that was on its way: a chunk always, another where nothing was answered to it."""
    mine = commands.c.device == place.device, commands.c.counter == place.counter
    names = ("update-chunk",) if answered else ("update-begin", "update-chunk", "update-commit")
    connection.execute(sa.delete(commands).where(*mine, commands.c.name.in_(names)))


def last_heads(connection: sa.Connection, ids: Sequence[str]) -> Mapping[str, bytes]:
    """The newest head of each of these terminals that sent one."""
    same = sa.and_(
        heads.c.device == devices.c.id,
        heads.c.boot == devices.c.head_boot,
        heads.c.connection == devices.c.head_connection,
        heads.c.uptime == devices.c.head_uptime,
    )
    found: dict[str, bytes] = {}
    for some in chunks(list(ids)):
        rows = connection.execute(
            sa.select(devices.c.id, heads.c.message).join_from(devices, heads, same).where(devices.c.id.in_(some))
        )
        found.update({row.id: row.message for row in rows})
    return found
