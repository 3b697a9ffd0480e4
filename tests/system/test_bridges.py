"""Several bridges on one broker and one PostgreSQL: every code sold once, every record answered, whoever is killed."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest
from scanlatch_tools.books import Books
from scanlatch_tools.postgres import Postgres
from scanlatch_tools.service import Service
from scanlatch_tools.stage import Stage

from host_bridge.wire import Operation, Outcome
from tests.meanwhile import Meanwhile
from tests.system.fleet_day import Dock, Window, announced, check_loads
from tests.system.ledger_view import LedgerView
from tests.system.patient_device import PatientDevice
from tests.system.waiting import until

_FULL = bool(os.environ.get("SCANLATCH_FULL"))
SITES = ["clinic-7", "pharmacy-3"]
CODES = [f"8338652{number:013}" for number in range(20_000 if _FULL else 2_000)]
_SAME = 200  # codes that are presented everywhere at once
_ANSWERED_S = 60  # what a dead bridge held is answered by then


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Stage]:
    """Two bridges."""
    ledger = postgres.create("ledger_fleet", "template_ledger")
    with Stage(tmp_path_factory.mktemp("fleet") / "stage", SITES, broker="mosquitto", bridges=2, ledger=ledger) as made:
        made.platform.know(CODES)
        yield made
    postgres.drop("ledger_fleet")


def _long(test: Callable[..., None]) -> Callable[..., None]:
    """Runs at full size only."""
    here = pytest.mark.skipif(not _FULL, reason="long; SCANLATCH_FULL=1 runs it")
    return pytest.mark.soak(pytest.mark.timeout(1_200)(here(test)))


@pytest.fixture(scope="module")
def codes() -> Iterator[str]:
    return iter(CODES)


@pytest.fixture(autouse=True)
def _all_alive(fleet: Stage) -> Iterator[None]:
    yield
    fleet.platform.turn(latency_ms=0)
    for bridge in fleet.bridges:
        if not bridge.running:
            bridge.start()


def at_once(jobs: Sequence[Callable[[], object]]) -> None:
    """Run all of them side by side; raises what the first of them raised."""
    failed: list[BaseException] = []

    def run(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # raised below
            failed.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def check_books(fleet: Stage, devices: Sequence[PatientDevice], sold: Sequence[str]) -> None:
    """Nothing lost or doubled, chains whole, decided in order, each of `sold` sold once here and at the platform."""
    accepted: Counter[str] = Counter()
    with Books(fleet.site) as books:
        for device in devices:
            entries = books.entries(device.device)
            assert len(entries) == device.seq
            assert books.unbroken(device.device)
            told = device.outcomes([one.seq for one in entries])
            assert told == [one.outcome for one in entries], "a device was told something else than the books say"
            for entry in entries:
                accepted.update(code for code in sold if code.encode() in entry.message and entry.outcome == 0)
    with LedgerView(fleet) as ledger:
        for device in devices:
            decided = ledger.decided(device.device)
            assert decided == sorted(decided), f"{device.device}: decided out of its order"
    assert accepted == dict.fromkeys(sold, 1)
    assert {code: len(fleet.platform.sales(code)) for code in sold} == dict.fromkeys(sold, 1)


class Killer(Meanwhile):
    """Kills bridges, each a while after the last was back, until it is stopped; a context manager."""

    def __init__(self, bridges: Sequence[Service], seed: int, pace_s: float) -> None:
        super().__init__()
        self.kills = 0
        self._bridges = bridges
        self._chance = random.Random(seed)
        self._pace_s = pace_s

    def work(self) -> None:
        while not self.over.wait(self._chance.uniform(0.2, 1.0) * self._pace_s):
            bridge = self._chance.choice(self._bridges)
            bridge.kill()
            self.kills += 1
            self.over.wait(self._chance.uniform(0.0, 1.0) * self._pace_s)
            bridge.start()


def test_the_same_codes_everywhere_at_once_are_each_accepted_once(fleet: Stage, codes: Iterator[str]) -> None:
    same = [next(codes) for _ in range(_SAME)]
    with ExitStack() as stack:
        devices = [stack.enter_context(PatientDevice(fleet, f"d-same-{n}", SITES[n % 2])) for n in range(4)]

        def sell(device: PatientDevice) -> None:
            for code in same:
                device.present(code)
            device.await_finals(30)

        at_once([lambda one=one: sell(one) for one in devices])
        check_books(fleet, devices, same)


def test_one_devices_records_on_two_bridges_wait_for_its_row_and_keep_their_order(
    fleet: Stage, codes: Iterator[str]
) -> None:
    with PatientDevice(fleet, "d-order-1", SITES[0]) as device, LedgerView(fleet) as ledger:
        with ledger.locked(device.device):
            for _ in range(10):
                code = next(codes)
                device.present(code)
                device.present(code, Operation.RETURN)  # refused where it overtakes the sale
            until(lambda: ledger.waiting() == len(fleet.bridges), "both bridges at the device's row")
            assert ledger.arrivals(device.device) == []
        device.await_finals(30)
        assert device.outcomes(range(1, 21)) == [Outcome.ACCEPTED] * 20
        decided = ledger.decided(device.device)
        assert decided == sorted(decided)


def test_bridges_that_are_killed_lose_double_and_disorder_nothing(fleet: Stage, codes: Iterator[str]) -> None:
    seed = random.randrange(1 << 30)
    _kill_while_selling(fleet, codes, seed, each=40, pace_s=1.0, hurry_s=2.0)


def test_bridges_that_are_killed_amid_voids_docks_and_session_ends_keep_each_terminals_order(
    fleet: Stage, codes: Iterator[str]
) -> None:
    """Each answer hangs on what its terminal did before: one out of order, lost or done twice would be another."""
    seed, rounds = random.randrange(1 << 30), 30 if _FULL else 6
    print(f"seed {seed}")
    now = int(time.time() * 1000)
    with ExitStack() as stack:
        ledger = stack.enter_context(LedgerView(fleet))
        names = [f"d-day-{seed % 1000}-{n}" for n in range(4)]
        devices = [stack.enter_context(PatientDevice(fleet, one, SITES[1], 2.0)) for one in names]
        loads = [
            ledger.use(lambda it, n=n: announced(it, f"D-{seed}-{n}", SITES[1], codes, now)) for n in range(rounds)
        ]
        sessions = [[ledger.session(one, now) for _ in range(rounds)] for one in names[:2]]
        windows, docks = [Window(one, codes) for one in devices[:2]], [Dock(one) for one in devices[2:]]

        def work(number: int) -> None:
            device, chance = devices[number], random.Random(f"{seed} {number}")

            def pause() -> None:
                _linger(device, chance.uniform(0, 0.3))

            if number < len(windows):
                windows[number].work(sessions[number], pause)
            else:
                docks[number - len(windows)].work(loads, pause)
            device.await_finals(_ANSWERED_S)

        with Killer(fleet.bridges, seed, pace_s=0.7) as killer:
            at_once([lambda n=n: work(n) for n in range(4)])
        print(f"{killer.kills} kills, {sum(device.resent for device in devices)} records sent again")
        assert killer.kills
        assert [one.wrong() for one in (*windows, *docks)] == [{}] * 4
        ledger.use(lambda it: check_loads(it, loads))
        check_books(fleet, devices, [code for one in windows for code in one.sold])
        voided = [sale for one in windows for code in one.voided for sale in fleet.platform.sales(code)]
        assert all(sale["returned_by"] for sale in voided)


@_long
def test_what_a_dead_bridge_held_is_answered_in_time_by_terminals_that_do_not_hurry(
    fleet: Stage, codes: Iterator[str]
) -> None:
    """One bridge dies with a submission that it had claimed, and with records that it was given and never took."""
    dies = fleet.bridges[0]
    with PatientDevice(fleet, "d-held-1", SITES[0]) as device, LedgerView(fleet) as ledger:
        fleet.platform.turn(latency_ms=4_000)
        until(lambda: device.present(next(codes)) and ledger.sending(fleet.site.bridges[0]), "a claim of its own")
        window = Window(device, codes)
        session = ledger.session(device.device, int(time.time() * 1000))
        dies.hang()
        window.work([session], device.attend)
        dies.kill()
        fleet.platform.turn(latency_ms=0)
        assert device.await_finals(_ANSWERED_S) > 1
        assert window.wrong() == {}
        check_books(fleet, [device], window.sold)


@_long
def test_a_bridge_that_hangs_and_keeps_its_connections_does_not_stop_the_others(
    fleet: Stage, codes: Iterator[str]
) -> None:
    hangs = fleet.bridges[1]
    with PatientDevice(fleet, "d-hung-1", SITES[0]) as device:
        hangs.hang()
        try:
            for _ in range(6):
                device.present(next(codes))
            device.await_finals(_ANSWERED_S)
        finally:
            hangs.kill()
        check_books(fleet, [device], [])


@_long
@pytest.mark.parametrize("_round", range(1, 21))
def test_bridges_that_are_killed_again_and_again(fleet: Stage, codes: Iterator[str], _round: int) -> None:
    _kill_while_selling(fleet, codes, random.randrange(1 << 30), each=300, pace_s=0.4, hurry_s=2.0, calm_s=0.001)


def _kill_while_selling(
    fleet: Stage, codes: Iterator[str], seed: int, *, each: int, pace_s: float, hurry_s: float, calm_s: float = 0.1
) -> None:
    """Four terminals sell the same codes, and each sells codes of its own and takes them back."""
    print(f"seed {seed}")
    same = [next(codes) for _ in range(each)]
    own = [[next(codes) for _ in range(each // 4)] for _ in range(4)]
    with ExitStack() as stack:
        names = [f"d-kill-{seed % 1000}-{n}" for n in range(4)]
        devices = [stack.enter_context(PatientDevice(fleet, one, SITES[0], hurry_s)) for one in names]

        def sell(device: PatientDevice, mine: Sequence[str]) -> None:
            chance = random.Random(f"{seed} {device.device}")
            taken_back: list[int] = []
            for number, code in enumerate(same):
                device.present(code)
                if number % 4 == 0:
                    steps = Operation.SALE, Operation.RETURN  # refused where it overtakes the sale
                    taken_back += [device.present(mine[number // 4], operation) for operation in steps]
                _linger(device, chance.uniform(0, calm_s))
            device.await_finals(_ANSWERED_S)
            assert device.outcomes(taken_back) == [Outcome.ACCEPTED] * len(taken_back)

        with Killer(fleet.bridges, seed, pace_s) as killer:
            at_once([lambda one=one, mine=mine: sell(one, mine) for one, mine in zip(devices, own, strict=True)])
        print(f"{killer.kills} kills, {sum(device.resent for device in devices)} records sent again")
        assert killer.kills
        check_books(fleet, devices, same)


def _linger(device: PatientDevice, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
        device.attend()
