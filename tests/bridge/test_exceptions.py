"""Releases: only with supervisor and reason, counted on the session's lines, and never silent."""

import random

import pytest

from host_bridge import catalogue, exceptions, reports, sessions
from host_bridge.catalogue import Product
from host_bridge.errors import BadInput, MayNotDispense, NotFound
from host_bridge.ledger.sessions import Line
from tests.bridge.world import OTHER_SITE, SITE, World

CHANCE = random.Random(7)
GIVEN = {"reason": "label torn off", "operator": "op-1", "supervisor": "chief-1"}


def _release(world: World, quantity: int = 1, session: str | None = None, **changed: str) -> int:
    now = world.clock.now()
    return exceptions.release(world.ledger, SITE, "AMX", quantity, **{**GIVEN, **changed}, now=now, session=session)


@pytest.fixture(autouse=True)
def product(world: World) -> None:
    catalogue.import_products(world.ledger, [Product("AMX", "Amoxicillin")])


def test_a_release_is_recorded_and_reported_with_its_names(world: World) -> None:
    now = world.clock.now()
    _release(world, 2)
    (found,) = exceptions.listed(world.ledger, SITE, now, now + 1)
    told = (found.product, found.quantity, found.reason, found.operator, found.supervisor, found.released_at)
    assert told == ("AMX", 2, "label torn off", "op-1", "chief-1", now)
    assert reports.period(world.ledger, SITE, now, now + 1).releases == (found,)
    assert exceptions.listed(world.ledger, SITE, now + 1, now + 2) == []
    assert exceptions.listed(world.ledger, OTHER_SITE, now, now + 1) == []


@pytest.mark.parametrize("missing", ["reason", "operator", "supervisor"])
def test_a_release_without_reason_or_names_is_none(world: World, missing: str) -> None:
    with pytest.raises(BadInput, match=missing):
        _release(world, 1, None, **{missing: " "})
    assert exceptions.listed(world.ledger, SITE, 0, world.clock.now() + 1) == []


def test_a_release_counts_on_the_lines_of_its_session(world: World) -> None:
    till = world.terminal()
    line = Line(1, "AMX", 1, split=False)
    session = sessions.open_session(world.ledger, till.peer.device, world.clock.now(), CHANCE, lines=[line])
    _release(world, session=session)
    with pytest.raises(MayNotDispense):
        _release(world, session=session)
    assert [one.taken for one in sessions.status(world.ledger, session).session.lines] == [1]
    with pytest.raises(NotFound):
        _release(world, session="S-NONE")
