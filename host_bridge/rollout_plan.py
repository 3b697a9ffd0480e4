"""An update's way through the fleet: which terminals are the next group, and whether there is one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import cbor2

from host_bridge.bundle import Bundle
from host_bridge.errors import BadInput, PermanentError, UnknownDevice
from host_bridge.ledger import Connection, Ledger, alerts, devices, rollouts
from host_bridge.ledger.devices import ENROLLED
from host_bridge.ledger.rollouts import Package, Place, RolloutRow
from host_bridge.texts import text

SUCCESS, ERRORS = 90, 2  # by default: percent of a group that must succeed, and failures of it that are borne
GROUP_MAX = 10_000  # terminals in a group
_GROUP = re.compile(r"([0-9]{1,5})(%?)\Z")
_FIRMWARE = 9  # key in a head


@dataclass(frozen=True, slots=True)
class Group:
    """Who is next: so many terminals, or percent of all, or these and no others."""

    size: int
    percent: bool = False
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """How an update goes on: percent of a group that must succeed, failures that are borne, a pause behind each."""

    success: int = SUCCESS
    errors: int = ERRORS
    pause: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """A rollout as it stands."""

    rollout: RolloutRow
    package: Package
    places: Mapping[str, Place]


def group_of(said: str) -> Group:
    """A group as a person writes it: `5%`, `3`, or ids with commas between. Raises BadInput."""
    if found := _GROUP.match(said.strip()):
        size, percent = int(found[1]), bool(found[2])
        if not 1 <= size <= (100 if percent else GROUP_MAX):
            raise BadInput("group", text("1% to 100%, or 1 to {most} terminals", most=GROUP_MAX))
        return Group(size, percent)
    ids = tuple(dict.fromkeys(one.strip() for one in said.split(",") if one.strip()))
    if not 1 <= len(ids) <= GROUP_MAX:
        raise BadInput("group", text("5%, 3, or the ids of terminals with commas between"))
    return Group(len(ids), ids=ids)


def start(ledger: Ledger, bundle: Bundle, group: Group, terms: Terms, now: int) -> Status:
    """Begin a rollout with its first group, or let the one of this bundle go on, behind a stop too. `now` is ms UTC.

    What was stopped goes on as a new group: its unfinished terminals, and others up to its size. Named terminals are
    tried again where they failed.

    Raises:
        PermanentError: another bundle's rollout is running, or nobody is left.
        UnknownDevice, BadInput: of the group or the terms.
    """
    _check(terms)
    with ledger.write() as connection:
        row = rollouts.open_one(connection, locked=True)
        if row is not None and row.bundle != bundle.digest:
            _replace(connection, row, now)
            row = None
        rollouts.add_bundle(connection, bundle, now)
        how: dict[str, Any] = {"size": group.size, "percent": group.percent, "success": terms.success}
        how |= {"errors": terms.errors, "pause": terms.pause or bool(group.ids), "changed_at": now}
        if row is not None and row.state == rollouts.RUNNING and not group.ids:
            rollouts.change(connection, row.id, **how)
            return _status(connection, rollouts.get(connection, row.id))
        if row is None:
            fresh = {"bundle": bundle.digest, "state": rollouts.RUNNING, "part": 0, "started_at": now}
            row = rollouts.add(connection, **fresh, **how)
        if row.state == rollouts.RUNNING and row.part:
            raise PermanentError(text("a group is under way: wait until it is through, or stop it first"))
        rollouts.change(connection, row.id, state=rollouts.RUNNING, why=None, **how)
        _next_group(connection, rollouts.get(connection, row.id), group.ids, now)
        alerts.close(connection, alerts.UPDATE, now)
        rollouts.let_go(connection)
        return _status(connection, rollouts.get(connection, row.id))


def stop(ledger: Ledger, now: int) -> Status:
    """Send nothing more; terminals that have it all go on by themselves. Raises PermanentError where there is none."""
    with ledger.write() as connection:
        row = rollouts.open_one(connection, locked=True)
        if row is None:
            raise PermanentError(text("no update is under way"))
        if row.state != rollouts.STOPPED:
            rollouts.change(connection, row.id, state=rollouts.STOPPED, why="by hand", changed_at=now)
        return _status(connection, rollouts.get(connection, row.id))


def status(ledger: Ledger) -> Status | None:
    """The newest rollout; None where there was none."""
    with ledger.read() as connection:
        row = rollouts.newest(connection)
        return None if row is None else _status(connection, row)


def judge(connection: Connection, row: RolloutRow, now: int) -> None:
    """Let a running rollout go on to its next group, or end it, in a transaction that holds its row."""
    counts = rollouts.counts(connection, row.id, row.part)
    state, why = verdict(row, counts)
    if state == rollouts.RUNNING and why:
        return  # under way
    if state == rollouts.RUNNING and row.pause:
        state, why = rollouts.WAITING, f"group {row.part} is through"
    if state == rollouts.RUNNING:
        if _next_group(connection, row, (), now):
            return
        state, why = rollouts.DONE, "every terminal was come to"
    rollouts.change(connection, row.id, state=state, why=why, changed_at=now)
    if state == rollouts.STOPPED:
        _alert(connection, row, why, now)
    if state == rollouts.DONE:
        rollouts.let_go(connection)


def verdict(row: RolloutRow, counts: Mapping[str, int]) -> tuple[str, str]:
    """What a group's figures say: (running, why it is not through), (running, "") where it is, or (stopped, why)."""
    failed = counts.get(rollouts.FAILED, 0) + counts.get(rollouts.SILENT, 0)
    total = sum(counts.values()) - counts.get(rollouts.SKIPPED, 0)
    done = counts.get(rollouts.DONE, 0)
    if failed > row.errors:
        return rollouts.STOPPED, f"group {row.part}: {failed} of {total} failed, {row.errors} are borne"
    if 100 * (total - failed) < row.success * total:
        return rollouts.STOPPED, f"group {row.part}: {failed} of {total} failed, {row.success}% must succeed"
    left = total - done - failed
    return rollouts.RUNNING, f"{left} are under way" if left else ""


def _next_group(connection: Connection, row: RolloutRow, ids: tuple[str, ...], now: int) -> bool:
    """Put the next group together; False where nobody is left."""
    known = rollouts.places(connection, row.id)
    enrolled = [one.id for one in devices.every(connection) if one.status == ENROLLED]
    if ids:
        _must_know(enrolled, ids)
        chosen = _without(connection, list(ids), row)
    else:
        size = -(-len(enrolled) * row.size // 100) if row.percent else row.size
        new = [one for one in enrolled if one not in known]
        unfinished = [one for one in known.values() if one.state in (rollouts.QUEUED, rollouts.SENDING)]
        # In no order that people see: else the first group is one site's, or one maker's.
        order = sorted(_without(connection, new, row), key=lambda one: sha256(row.bundle + one.encode()).digest())
        chosen = [one.device for one in unfinished if one.part < row.part + 1]
        chosen += order[: max(0, size - len(chosen))]
    if not chosen:
        if row.part == 0 or ids:
            raise PermanentError(text("nobody is left for it: no enrolled terminal has another version"))
        return False
    part = row.part + 1
    _take_back(connection, [known[one] for one in chosen if one in known])
    rollouts.join(connection, row.id, part, chosen, now)
    rollouts.change(connection, row.id, part=part, changed_at=now)
    return True


def _take_back(connection: Connection, places: list[Place]) -> None:
    """Forget what is on its way to these terminals: what they answer to it is not heard any more."""
    if not places:
        return
    ids = [one.device for one in places]
    devices.lock(connection, ids)  # as everywhere: before the rows that hang on them
    for one in rollouts.lock(connection, places[0].rollout, ids):  # as they are by now
        if one.counter is not None:
            rollouts.forget_command(connection, one, answered=False)


def _without(connection: Connection, ids: list[str], row: RolloutRow) -> list[str]:
    """Those of them that did not say that they run the version already."""
    version = rollouts.package(connection, row.bundle).version
    heads = rollouts.last_heads(connection, ids)
    return [one for one in ids if one not in heads or firmware_of(heads[one]) != version]


def firmware_of(head: bytes) -> str | None:
    """The firmware's version that a head of the ledger names; it was verified when it came."""
    try:
        return cbor2.loads(cbor2.loads(head).value[2])[_FIRMWARE]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, cbor2.CBORDecodeError):
        return None


def _must_know(enrolled: list[str], ids: tuple[str, ...]) -> None:
    for one in ids:
        if one not in enrolled:
            raise UnknownDevice(one)


def _replace(connection: Connection, row: RolloutRow, now: int) -> None:
    """Another bundle takes the place of a rollout that does not run."""
    version = rollouts.package(connection, row.bundle).version
    if row.state == rollouts.RUNNING:
        raise PermanentError(text("the update to {version} is running: stop it first", version=version))
    rollouts.change(connection, row.id, state=rollouts.DROPPED, why="another took its place", changed_at=now)
    _take_back(connection, rollouts.active(connection, row.id))
    rollouts.abandon(connection, row.id, "another update took its place")


def _alert(connection: Connection, row: RolloutRow, why: str, now: int) -> None:
    bad = (rollouts.FAILED, rollouts.SILENT)
    places = rollouts.places(connection, row.id).values()
    mine = [one for one in places if one.part == row.part]
    # One that was silent may have spoken since it was counted: the group's figures are then what is told.
    last = max(mine, key=lambda one: (one.state in bad, one.moved_at))
    version = rollouts.package(connection, row.bundle).version
    detail = f"the update to {version} was stopped: {why}; the last to fail: {last.detail}"
    alerts.open_alert(connection, alerts.UPDATE, last.device, 0, 0, detail, now)


def _status(connection: Connection, row: RolloutRow) -> Status:
    return Status(row, rollouts.package(connection, row.bundle), rollouts.places(connection, row.id))


def _check(terms: Terms) -> None:
    if not 1 <= terms.success <= 100:
        raise BadInput("success", text("1% to 100%"))
    if not 0 <= terms.errors <= GROUP_MAX:
        raise BadInput("errors", text("0 to {most}", most=GROUP_MAX))
