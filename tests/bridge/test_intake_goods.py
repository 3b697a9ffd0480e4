"""What the catalogue, the site's wishes and the session make of a sale."""

import pytest

from host_bridge.config import Site
from host_bridge.ledger.alerts import listed
from host_bridge.wire import Family, Operation
from tests.bridge import shop
from tests.bridge.world import CODES, OTHER_SITE, SITE, World

ACCEPTED, REJECTED, DUPLICATE, PENDING, EXEMPT = 0, 1, 2, 3, 4
BOX, SECOND, CASE = CODES[:3]
TODAY, YESTERDAY = 20260921, 20260920  # of world.NOW, wherever the machine stands
DAY_MS = 86_400_000


def test_sold_elsewhere_alarms_both_sites(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.sell(till, SECOND, BOX)
    world.sell(other, BOX)
    world.sell(other, BOX)
    assert shop.alerts(world) == [
        ("sold-elsewhere", "d-window-02", 1, OTHER_SITE),
        ("sold-elsewhere", "d-window-01", 2, SITE),
        ("sold-elsewhere", "d-window-02", 2, OTHER_SITE),
    ]


def test_a_sale_that_the_platform_knows_elsewhere_alarms(world: World) -> None:
    till = world.terminal()
    world.platform.refuses[BOX] = 2
    world.sell(till, BOX)
    assert till.outcomes() == [(1, REJECTED, 2)]
    assert shop.alerts(world) == [("sold-elsewhere", "d-window-01", 1, SITE)]
    with world.ledger.read() as connection:
        assert "this ledger of no other site" in listed(connection)[0].detail


@pytest.mark.parametrize("reason", [2, 24])
@pytest.mark.parametrize("last", ["receipt", "dispatch", "return"])
def test_a_sale_that_the_platform_knows_elsewhere_alarms_the_site_that_had_the_box(
    world: World, last: str, reason: int
) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.deliver(other, other.scan(BOX, Operation.RECEIVE))
    if last == "dispatch":
        world.deliver(other, other.scan(BOX, Operation.DISPATCH))
    if last == "return":
        world.sell(other, BOX)
        world.deliver(other, other.scan(BOX, Operation.RETURN))
        world.settle()
    world.platform.refuses[BOX] = reason
    world.sell(till, BOX)
    had = "sold-elsewhere", "d-window-02", other.seq, OTHER_SITE
    assert shop.alerts(world) == [("sold-elsewhere", "d-window-01", 1, SITE), had]
    with world.ledger.read() as connection:
        assert {f"{OTHER_SITE} had the box last" in one.detail for one in listed(connection)} == {True}


def test_a_site_that_sent_the_box_on_is_left_alone_once_another_received_it(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    for gun, operation in ((other, Operation.RECEIVE), (other, Operation.DISPATCH), (till, Operation.RECEIVE)):
        world.deliver(gun, gun.scan(BOX, operation))
    world.platform.refuses[BOX] = 2
    world.sell(till, BOX)
    assert [site for *_, site in shop.alerts(world)] == [SITE]


def test_the_third_repeat_at_one_site_alarms_and_a_return_starts_anew(world: World) -> None:
    till = world.terminal()
    world.sell(till, BOX, BOX, BOX)
    assert shop.alerts(world) == []
    world.sell(till, BOX)
    assert shop.alerts(world) == [("repeated", "d-window-01", 4, SITE)]
    world.deliver(till, till.scan(BOX, Operation.RETURN))
    world.settle()
    world.sell(till, BOX, BOX, BOX)
    assert [kind for kind, *_ in shop.alerts(world)] == ["repeated"]


def test_exempt_product_is_exempt_and_claims_nothing(world: World) -> None:
    till = world.terminal()
    shop.product(world, exempt="hospital preparation")
    world.sell(till, BOX, BOX)
    world.deliver(till, till.scan(BOX, Operation.RETURN))
    assert till.outcomes() == [(1, EXEMPT, 0), (2, EXEMPT, 0), (3, EXEMPT, 0)]
    assert world.platform.submitted == []


def test_a_box_that_was_sold_before_its_product_was_exempt_is_returned_where_it_was_sold(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.sell(till, BOX)
    shop.product(world, exempt="hospital preparation")
    for gun in (other, till):
        world.deliver(gun, gun.scan(BOX, Operation.RETURN))
    world.settle()
    assert (other.outcomes(), till.outcomes()[-1]) == ([(1, REJECTED, 11)], (2, ACCEPTED, 0))


def test_case_at_a_window_is_no_sales_unit_unless_the_site_sells_cases(world: World) -> None:
    till = world.terminal()
    shop.unit(world, CASE, level=3)
    world.sell(till, CASE)
    world.sites[SITE] = Site("Clinic 7", sales_level=3)
    world.sell(till, CASE)
    assert till.outcomes() == [(1, REJECTED, 8), (2, ACCEPTED, 0)]


@pytest.mark.parametrize("first", [BOX, CASE])
def test_box_and_its_case_are_not_both_sold(world: World, first: str) -> None:
    till = world.terminal()
    world.sites[SITE] = Site("Clinic 7", sales_level=3)
    inner = CODES[3]
    shop.unit(world, CASE, level=3)
    shop.unit(world, inner, level=2, parent=CASE)
    shop.unit(world, BOX, parent=inner)
    then = CASE if first == BOX else BOX
    world.deliver(till, till.scan(first), till.scan(then))
    world.settle()
    assert sorted(till.outcomes()) == [(1, ACCEPTED, 0), (2, REJECTED, 9)]


def test_recalled_batch_is_refused_and_others_are_not(world: World) -> None:
    till = world.terminal()
    shop.product(world)
    shop.unit(world, BOX, lot="B1")
    shop.unit(world, SECOND, lot="B2")
    shop.recall(world, "B1")
    world.sell(till, BOX, SECOND)
    shop.recall(world)
    world.sell(till, CODES[3])
    assert till.outcomes() == [(1, REJECTED, 5), (2, ACCEPTED, 0), (3, REJECTED, 5)]


@pytest.mark.parametrize(("last_day", "answer"), [(TODAY - 2, (1, REJECTED, 6)), (TODAY + 2, (1, ACCEPTED, 0))])
def test_last_day_of_the_batch_counts(world: World, last_day: int, answer: tuple[int, int, int]) -> None:
    till = world.terminal()
    shop.product(world)
    shop.batch(world, "B1", last_day)
    shop.unit(world, BOX, lot="B1")
    world.sell(till, BOX)
    assert till.outcomes() == [answer]


@pytest.mark.parametrize(
    ("data", "family", "answer"),
    [
        (b"0106901234567892172609182112345ABC", Family.GS1, (1, REJECTED, 6)),
        (b"0106901234567892172609002112345ABC", Family.GS1, (1, ACCEPTED, 0)),
        (b"0106901234567892172609312112345ABC", Family.GS1, (1, ACCEPTED, 0)),
        (b"https://id.example/01/06901234567892/21/12345ABC?17=260918", Family.LINK, (1, REJECTED, 6)),
    ],
)
def test_last_day_that_the_code_carries_counts_with_no_catalogue(
    world: World, data: bytes, family: Family, answer: tuple[int, int, int]
) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(data=data, family=family))
    world.settle()
    assert till.outcomes() == [answer]


def test_a_late_record_is_judged_by_the_day_on_which_it_was_read(world: World) -> None:
    till = world.terminal()
    shop.unit(world, BOX, expires_on=YESTERDAY)
    first, sale = till.scan(SECOND), till.scan(BOX, captured_at=world.clock.now() - 10 * DAY_MS)
    world.deliver(till, sale)
    world.deliver(till, first)
    world.settle()
    assert sorted(till.outcomes()) == [(1, ACCEPTED, 0), (2, ACCEPTED, 0)]


def test_a_clock_that_was_never_set_makes_no_box_young(world: World) -> None:
    till = world.terminal()
    shop.unit(world, BOX, expires_on=YESTERDAY - 5)
    world.deliver(till, till.scan(BOX, captured_at=946_684_800_000))
    assert till.outcomes() == [(1, REJECTED, 6)]


@pytest.mark.parametrize("at", [1 << 62, (1 << 63) - 1, 253_402_300_800_000, 8_640_000_000_000_000, 4_102_444_800_000])
def test_a_clock_that_is_far_off_stops_nothing_and_is_judged_by_the_time_of_receipt(world: World, at: int) -> None:
    till = world.terminal()
    shop.unit(world, BOX, expires_on=YESTERDAY - 5)
    world.deliver(till, till.scan(BOX, captured_at=at))
    world.deliver(till, till.scan(CODES[1], captured_at=at))
    world.settle()
    assert till.outcomes()[0] == (1, REJECTED, 6)
    assert till.outcomes()[-1][1] == ACCEPTED
    assert all(0 < one.captured_at < 4_102_444_800_000 for one in world.platform.taken.values())


def test_where_receipt_is_required_only_what_came_in_is_sold(world: World) -> None:
    till, other = world.terminal(), world.terminal("d-window-02", OTHER_SITE)
    world.sites.update({SITE: Site("Clinic 7", require_receipt=True), OTHER_SITE: Site("P", require_receipt=True)})
    world.sell(till, BOX)
    world.deliver(till, till.scan(BOX, Operation.RECEIVE))
    world.sell(other, BOX)
    world.sell(till, BOX)
    assert till.outcomes() == [(1, REJECTED, 4), (2, ACCEPTED, 0), (3, ACCEPTED, 0)]
    assert other.outcomes() == [(1, REJECTED, 4)]
    assert shop.stock(world, [BOX]) == [None]


def test_what_is_taken_back_is_in_stock_again(world: World) -> None:
    till = world.terminal()
    world.sites[SITE] = Site("Clinic 7", require_receipt=True)
    world.deliver(till, *(till.scan(code, Operation.RECEIVE) for code in (BOX, SECOND, CASE)))
    world.sell(till, BOX)
    world.deliver(till, till.scan(BOX, Operation.RETURN))
    world.platform.refuses[SECOND] = 13
    world.sell(till, SECOND)
    world.deliver(till, till.scan(CASE), till.void(7))
    world.settle()
    assert shop.stock(world, [BOX, SECOND, CASE]) == [SITE, SITE, SITE]


@pytest.mark.parametrize("hours", [240, 24])
def test_return_comes_in_time_or_not_at_all(world: World, hours: int) -> None:
    till = world.terminal()
    world.sites[SITE] = Site("Clinic 7", return_hours=hours)
    world.sell(till, BOX)
    sold_at = world.clock.now()
    world.clock.ms += hours * 3_600_000
    for late in (1, 0):
        world.deliver(till, till.scan(BOX, Operation.RETURN, captured_at=sold_at + hours * 3_600_000 + late))
    world.settle()
    assert till.outcomes()[1:] == [(2, REJECTED, 11), (3, ACCEPTED, 0)]


def test_where_offline_sales_are_refused_none_is_taken_while_the_platform_is_away(world: World) -> None:
    till = world.terminal()
    world.sites[SITE] = Site("Clinic 7", offline_sales="refused")
    world.platform.reachable = False
    world.sell(till, BOX, SECOND)
    assert till.outcomes() == [(2, REJECTED, 14)]
    world.platform.reachable = True
    world.later(20_000)
    world.settle()
    world.sell(till, SECOND)
    assert [one for one in till.outcomes() if one[1] == ACCEPTED] == [(1, ACCEPTED, 0), (3, ACCEPTED, 0)]
