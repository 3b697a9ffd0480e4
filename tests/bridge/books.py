"""What ledger and platform say of sales, counts and places, each by itself, for tests that hold them together."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from host_bridge.ledger import open_ledger
from host_bridge.ledger.schema import codes, outbox, scans, verdicts
from host_bridge.ledger.schema_books import delivery_items
from tests.bridge.world import World

ACCEPTED, PENDING = 0, 3
_template: list[Path] = []


def fresh_ledger(folder: Path) -> None:
    """An empty ledger, migrated once for all runs."""
    if not _template:
        _template.append(Path(tempfile.mkdtemp()) / "ledger.sqlite")
        open_ledger(f"sqlite:///{_template[0]}").close()
    shutil.copy(_template[0], folder / "ledger.sqlite")


def sold_at_the_platform(world: World, every: Iterable[str], content: int) -> dict[str, list[str]]:
    """By code, keys of the sales that stand at the platform.

    Replays what it took: a sale finds its box free, or opened at its site, a reversal its sale standing.
    """
    standing: dict[str, list[str]] = {code: [] for code in every}
    for key, item in world.platform.taken.items():
        if item.kind == "sale":
            here = standing[item.code]
            parts = [world.platform.taken[one] for one in here]
            assert not here or (item.split and all(one.split for one in parts)), f"{key} sells what {here} sold"
            assert all(one.site == item.site for one in parts)
            assert len(here) < content
            here.append(key)
        elif item.kind == "reverse":
            assert item.reverses in standing[item.code], f"{key} takes back {item.reverses}, which does not stand"
            standing[item.code].remove(item.reverses)
    return standing


def accepted_sales(world: World) -> set[str]:
    """Sales with a final verdict "accepted" that nothing took back, as the ledger tells it; a void may be one."""
    final = sa.func.coalesce(verdicts.c.outcome, scans.c.outcome)
    joined = scans.outerjoin(verdicts, sa.and_(verdicts.c.device == scans.c.device, verdicts.c.seq == scans.c.seq))
    joined = joined.join(outbox, sa.and_(outbox.c.device == scans.c.device, outbox.c.seq == scans.c.seq))
    wanted = sa.select(outbox.c.key).select_from(joined).where(outbox.c.kind == "sale", outbox.c.state == "done")
    with world.ledger.read() as connection:
        return set(connection.scalars(wanted.where(final == ACCEPTED, scans.c.voided_by.is_(None))))


def standing(world: World) -> set[str]:
    """Keys of records that were not refused, and that nothing took back."""
    wanted = sa.select(scans.c.device + "/" + sa.cast(scans.c.seq, sa.String))
    with world.ledger.read() as connection:
        stands = scans.c.outcome.in_([ACCEPTED, PENDING]), scans.c.voided_by.is_(None)
        return set(connection.scalars(wanted.where(*stands)))


def counting_or_placing(world: World) -> set[str]:
    """Keys of the records that counted what deliveries announced, or that say where boxes lie."""
    with world.ledger.read() as connection:
        counting = sa.select(delivery_items.c.seen).where(
            delivery_items.c.announced, delivery_items.c.seen.is_not(None)
        )
        placing = sa.select(codes.c.placed_by).where(codes.c.state == "free", codes.c.placed_by.is_not(None))
        return {key for wanted in (counting, placing) for key in connection.scalars(wanted)}
