"""Rows of the commands: the counter is stored before anything is sent; sent until PUBACK."""

from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from host_bridge.ledger.devices import DeviceRow
from host_bridge.ledger.open import row_lock
from host_bridge.ledger.scans import Pair
from host_bridge.ledger.schema import IS_UNSENT, commands, devices


class CommandRow(NamedTuple):
    """One command that is to go out; bytes in its arguments are bytes."""

    device: str
    counter: int
    name: str
    arguments: dict[str, Any]
    not_after: int


class Told(NamedTuple):
    """A command that was made, and what was answered to it so far."""

    arguments: dict[str, Any]
    result: str | None
    details: dict[str, Any]


NEVER_SENT = "never sent: too late"
_TWICE = "counter is not above the last"  # a terminal's word on what it was sent before, or what others overtook
_BYTES, _TEXT = "base64:", "text:"  # in JSON: bytes, and a text that begins like one of these two
_SELECT = sa.select(commands.c.device, commands.c.counter, commands.c.name, commands.c.arguments, commands.c.not_after)
_UNSENT = sa.text(IS_UNSENT)
_SENT = (
    sa.update(commands)
    .where(commands.c.device == sa.bindparam("of"), commands.c.counter == sa.bindparam("at"))
    .values(sent=True)
)
# What another transaction has in hand is left to it: that writes the same down, or the reply, or drops it.
_SENT_AT_ONCE = """\
WITH these AS MATERIALIZED (
    SELECT device, counter FROM commands
    JOIN unnest(%(of)b::varchar[], %(at)b::bigint[]) AS done (device, counter) USING (device, counter)
    FOR UPDATE OF commands SKIP LOCKED
)
UPDATE commands SET sent = true FROM these WHERE commands.device = these.device AND commands.counter = these.counter"""


def add(
    connection: sa.Connection, row: DeviceRow, name: str, arguments: Mapping[str, Any], now: int, not_after: int
) -> CommandRow:
    """Take the next counter of a locked device and write the command down. Arguments: what JSON holds, or bytes."""
    row.command_counter += 1
    counter = row.command_counter
    connection.execute(sa.update(devices).where(devices.c.id == row.id).values(command_counter=counter))
    command = CommandRow(row.id, counter, name, dict(arguments), not_after)
    values = {**command._asdict(), "arguments": encoded(command.arguments), "made_at": now, "sent": False}
    connection.execute(sa.insert(commands), [values])
    return command


def encoded(value: Any) -> Any:
    """A value as JSON can hold it: bytes become texts that no other text becomes."""
    match value:
        case bytes():
            return _BYTES + b64encode(value).decode()
        case str() if value.startswith((_BYTES, _TEXT)):
            return _TEXT + value
        case Mapping():
            return {key: encoded(one) for key, one in cast("Mapping[str, Any]", value).items()}
        case list() | tuple():
            return [encoded(one) for one in cast("Sequence[Any]", value)]
        case _:
            return value


def decoded(value: Any) -> Any:
    """The value that `encoded` was given; a tuple is a list by then."""
    match value:
        case str() if value.startswith(_BYTES):
            return b64decode(value.removeprefix(_BYTES))
        case str():
            return value.removeprefix(_TEXT)
        case dict():
            return {key: decoded(one) for key, one in cast("dict[str, Any]", value).items()}
        case list():
            return [decoded(one) for one in cast("list[Any]", value)]
        case _:
            return value


def due(connection: sa.Connection, now: int, limit: int) -> list[CommandRow]:
    """Those that the broker has not acknowledged and that still make sense."""
    statement = _SELECT.where(_UNSENT, commands.c.not_after >= now)
    rows = connection.execute(statement.order_by(commands.c.device, commands.c.counter).limit(limit))
    return [_command(row) for row in rows]


def in_order(
    connection: sa.Connection,
    made: Sequence[tuple[DeviceRow, CommandRow]],
    now: int,
    apart: Collection[Pair] = (),
) -> list[tuple[DeviceRow, CommandRow]]:
    """These, and before them what else their locked devices have not been sent yet: overtaken, it would be refused.

    apart: (device, counter) of what goes another way.
    """
    rows = {row.id: row for row, _ in made}
    mine = {(command.device, command.counter) for _, command in made}.union(apart)
    earlier = _SELECT.where(_UNSENT, commands.c.not_after >= now, commands.c.device.in_(sorted(rows)))
    found = [_command(one) for one in connection.execute(earlier)] if rows else []
    added = [(rows[one.device], one) for one in found if (one.device, one.counter) not in mine]
    return sorted([*made, *added], key=lambda one: (one[1].device, one[1].counter)) if added else list(made)


def expire(connection: sa.Connection, now: int) -> None:
    """Stop trying what is too late. What another bridge has in hand is left to it."""
    late = sa.select(commands.c.device, commands.c.counter).where(_UNSENT, commands.c.not_after < now)
    found = connection.execute(row_lock(late, skip_locked=True)).all()
    if found:
        said = _SENT.values(result=NEVER_SENT)
        connection.execute(said, [{"of": row[0], "at": row[1]} for row in found])


def acknowledged(connection: sa.Connection, pairs: Sequence[Pair]) -> None:
    """The broker has these (device, counter); on PostgreSQL nothing is waited for."""
    if not pairs:
        return
    if connection.dialect.name == "postgresql":
        of, at = map(list, zip(*pairs, strict=True))
        connection.exec_driver_sql(_SENT_AT_ONCE, {"of": of, "at": at})
    else:
        connection.execute(_SENT, [{"of": device, "at": counter} for device, counter in pairs])


def replied(
    connection: sa.Connection, device: str, counter: int, result: str, details: Mapping[str, Any], now: int
) -> bool:
    """Write a device's reply down; False where no such command was sent, or where it was answered better before."""
    statement = sa.update(commands).where(commands.c.device == device, commands.c.counter == counter)
    if result == _TWICE:
        statement = statement.where(commands.c.replied_at.is_(None))
    said = {"result": result, "details": encoded(details), "replied_at": now, "sent": True}
    return connection.execute(statement.values(said)).rowcount == 1


def told(connection: sa.Connection, device: str, counter: int) -> tuple[str, dict[str, Any]] | None:
    """Result and details of the reply to a command; None where there is none yet."""
    mine = commands.c.device == device, commands.c.counter == counter, commands.c.result.is_not(None)
    row = connection.execute(sa.select(commands.c.result, commands.c.details).where(*mine)).first()
    return None if row is None else (row.result, decoded(row.details or {}))


def unheard(connection: sa.Connection, device: str, counter: int, now: int) -> CommandRow | None:
    """A command that was sent under this counter, that still makes sense, and that nothing was answered to yet."""
    mine = commands.c.device == device, commands.c.counter == counter
    statement = _SELECT.where(*mine, commands.c.result.is_(None), commands.c.not_after >= now)
    row = connection.execute(statement).first()
    return None if row is None else _command(row)


def last(connection: sa.Connection, device: str, name: str) -> tuple[dict[str, Any], str | None]:
    """Arguments of the last command of this name to a device, and its reply; empty where there was none."""
    statement = sa.select(commands.c.arguments, commands.c.result).where(
        commands.c.device == device, commands.c.name == name
    )
    row = connection.execute(statement.order_by(commands.c.counter.desc()).limit(1)).first()
    return ({}, None) if row is None else (decoded(row.arguments), row.result)


def newest(connection: sa.Connection, device: str, name: str, counter: int) -> dict[str, Any]:
    """Arguments of the command of this name and counter, where it is the last of its name; else nothing."""
    found = _latest(connection, device, name, 1)
    return decoded(found[0].arguments) if found and found[0].counter == counter else {}


def unanswered(connection: sa.Connection, device: str, name: str, count: int) -> bool:
    """Whether none of the last `count` commands of this name has an answer; False where there were fewer."""
    found = _latest(connection, device, name, count)
    return len(found) == count and all(row.result is None for row in found)


def _latest(connection: sa.Connection, device: str, name: str, limit: int) -> Sequence[Any]:
    columns = commands.c.counter, commands.c.arguments, commands.c.result, commands.c.details
    statement = sa.select(*columns).where(commands.c.device == device, commands.c.name == name)
    return connection.execute(statement.order_by(commands.c.counter.desc()).limit(limit)).all()


def answer(connection: sa.Connection, device: str, counter: int) -> str | None:
    """What a device answered to the command of this counter; None where it has not."""
    mine = commands.c.device == device, commands.c.counter == counter, commands.c.replied_at.is_not(None)
    return connection.execute(sa.select(commands.c.result).where(*mine)).scalar()


def latest(connection: sa.Connection, device: str, name: str, count: int) -> list[Told]:
    """The last commands of this name to a device, the newest first."""
    found = _latest(connection, device, name, count)
    return [Told(decoded(row.arguments), row.result, decoded(row.details or {})) for row in found]


def last_told(connection: sa.Connection, device: str, name: str) -> tuple[dict[str, Any], str | None, dict[str, Any]]:
    """Arguments, result and details of the last command of this name; empty where there was none."""
    found = _latest(connection, device, name, 1)
    return (decoded(found[0].arguments), found[0].result, decoded(found[0].details or {})) if found else ({}, None, {})


def _command(row: Sequence[Any]) -> CommandRow:
    device, counter, name, arguments, not_after = row
    return CommandRow(device, counter, name, decoded(arguments), not_after)
