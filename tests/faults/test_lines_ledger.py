"""The line between bridge and PostgreSQL fails: boxes are pending meanwhile, and nothing is lost or doubled."""

import os
from collections.abc import Iterator

import pytest
from scanlatch_tools.demo.desk import Desk
from scanlatch_tools.postgres import Postgres

from tests.faults.balance import balanced
from tests.faults.proxy import Wrong
from tests.faults.site_with_terminals import CODES, SITE, Person
from tests.faults.wired_site import WiredSite
from tests.system.waiting import until

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(os.environ.get("SCANLATCH_FULL") != "1", reason="tests/bridge has PostgreSQL: at full size"),
]
_WAYS: list[Wrong] = ["reset", "end", "stall", "up", "down", "slow"]
_NAME = "wired_ledger"
_ANSWERS = frozenset({"accepted", "rejected", "duplicate", "pending", "error"})
_FINAL_S = 75


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[WiredSite]:
    with WiredSite(tmp_path_factory.mktemp("wired"), postgres.create(_NAME)) as made:
        made.platform.know(CODES)
        yield made
    postgres.drop(_NAME)


@pytest.fixture(scope="module")
def person(site: WiredSite) -> Person:
    made = Person(site.terminal("d-ledger-01"), iter(CODES))
    Desk(made.device, SITE, made.twin).wait_ready()
    return made


@pytest.mark.parametrize("wrong", _WAYS)
def test_a_box_is_pending_until_the_ledger_can_be_reached_again(site: WiredSite, person: Person, wrong: Wrong) -> None:
    assert person.scan(_ANSWERS) == "accepted"
    told = site.bridge.tail(10_000).count('"ledger busy"')
    site.lines["ledger"].be(wrong)
    assert person.scan(_ANSWERS) == "pending"
    if wrong in ("reset", "end"):
        until(lambda: site.bridge.tail(10_000).count('"ledger busy"') > told, "the bridge says what is wrong", 30)
    site.lines["ledger"].heal()
    balanced(site, person, within=_FINAL_S, heads=False)
    assert site.bridge.running


def test_the_books_balance_after_all_of_it(site: WiredSite, person: Person) -> None:
    balanced(site, person, within=_FINAL_S)
    assert person.kept == person.held
