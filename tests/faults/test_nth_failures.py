"""Once in a day something fails that may fail: no record is lost, no light is stuck, no task is dead."""

import pytest

from tests.faults import nth_cases
from tests.faults.nth_cases import FULL, Plan, Reached

AHEAD, BEHIND, STAYS = range(3)  # of what is done there; ahead, and from there on until the program next sleeps
OFTEN = 16  # a place that a day reaches more often than that fails the first, second, middle and last time
IN_TEST = 30
# Operations by kind, and how many of each are tried in `make test`; a day has about as many as are named.
CALLS_IN_TEST = {
    "program": 4,  # 17 flash programs: nothing done, or half of it
    "erase": 1,  # 3
    "look": 2,  # 78 flash reads
    "store": 4,  # 18 calls of the key-value store
    "read": 6,  # 225 reads of the socket, those that find nothing once after each event
    "write": 5,  # 49 writes of the socket
    "connect": 1,  # 2
    "name": 1,
}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Reached:
    return nth_cases.a_day(tmp_path_factory.mktemp("nth"))


@pytest.mark.timeout(3600 if FULL else 240)
def test_no_place_that_asks_for_heap_and_gets_none_loses_a_record_or_stops_the_terminal(day: Reached) -> None:
    plans: list[Plan] = []
    for site, times in sorted(day.sites.items()):
        plans += [(site, 1, STAYS), (site, 1, AHEAD), (site, 1, BEHIND)]
        more = range(2, times + 1) if times <= OFTEN else sorted({2, (times + 1) // 2, times})
        plans += [(site, nth, AHEAD) for nth in more]
    assert len(day.sites) > 1_200
    assert len(plans) > 5_000
    chosen = nth_cases.chosen(plans, IN_TEST)
    assert nth_cases.check(day, chosen) >= 0.95 * len(chosen)


@pytest.mark.timeout(1800 if FULL else 240)
def test_any_call_may_fail_once_and_no_record_is_lost_and_the_terminal_goes_on(day: Reached) -> None:
    assert set(day.operations) == set(CALLS_IN_TEST)
    assert day.operations["program"] > 10
    assert day.operations["write"] > 30
    plans = []
    for kind, count in day.operations.items():
        plans += nth_cases.chosen([(kind, nth) for nth in range(1, count + 1)], CALLS_IN_TEST[kind])
    assert nth_cases.check(day, plans) >= 0.9 * len(plans)
