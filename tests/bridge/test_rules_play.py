"""Any sequence of operations by several terminals: no code sold twice without an alert, no return without a sale,
no stock, register or part below zero; and ledger, platform and answers tell one story."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from host_bridge import register
from host_bridge.audit.run import audit
from host_bridge.config import Site
from host_bridge.errors import StockShort
from host_bridge.ledger.schema import codes, outbox, scans
from host_bridge.wire import Family, Operation
from tests.bridge import books, shop
from tests.bridge.shop import boxes, pieces
from tests.bridge.world import CODES, OTHER_SITE, SITE, Terminal, World

ACCEPTED, REJECTED, DUPLICATE, PENDING = 0, 1, 2, 3
CONTENT, PIECES, WHOLE = 3, 5, 1  # of a box; on the sessions' lines
BOXES = CODES[:2]
OTHERS = ["01069012345678922112345A"]  # another family, and no known product
CASE = CODES[2]  # of an announcement; the first box lies in it
EVERY = [*BOXES, *OTHERS, CASE]
TERMINALS = {"d-a-1": SITE, "d-a-2": SITE, "d-b-1": OTHER_SITE}
SESSIONS = {"d-a-1": "S-a1", "d-a-2": "S-a2"}

_code, _terminal = some.sampled_from(EVERY), some.sampled_from(sorted(TERMINALS))
_mostly = some.sampled_from([True, True, False])
_goods = some.sampled_from([Operation.RECEIVE, Operation.DISPATCH, Operation.STOCK_TAKE, Operation.QUERY])
_at_dock = some.sampled_from([Operation.RECEIVE, Operation.RECEIVE, Operation.DISPATCH])
_LONG = 1_000_000  # minutes


class Play(RuleBasedStateMachine):
    """Two sites, three terminals, boxes of two families; the platform comes and goes, answers get lost."""

    @initialize(
        receipt=_mostly.map(lambda yes: not yes),
        offline=some.sampled_from(["pending", "refused"]),
        announced=some.booleans(),
    )
    def open_the_shop(self, receipt: bool, offline: str, announced: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        books.fresh_ledger(self.folder)
        world = self.world = World(self.folder)
        world.sites[SITE] = Site("A", require_receipt=receipt, offline_sales=offline)
        shop.product(world, content=CONTENT)
        self.tills = {name: world.terminal(name, site) for name, site in TERMINALS.items()}
        shop.session(
            world, self.tills["d-a-1"], SESSIONS["d-a-1"], pieces(PIECES, line=1), boxes(WHOLE, line=2), minutes=_LONG
        )
        shop.session(world, self.tills["d-a-2"], SESSIONS["d-a-2"], pieces(PIECES, line=1), minutes=_LONG)
        shop.session(world, self.tills["d-a-1"], "S-r", minutes=_LONG)
        if announced:
            for direction in ("in", "out"):
                shop.announce(world, f"D-{direction}", CASE, *BOXES, inside={BOXES[0]: CASE}, direction=direction)
        self.stock_before: dict[tuple[str, int], dict[str, str | None]] = {}  # of each scan at the dock, what it moved
        self.in_register = 0
        self.held_back: dict[str, list[bytes]] = {name: [] for name in TERMINALS}
        self.sold_elsewhere: set[tuple[str, int]] = set()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.calm()
            self.one_story()
            self.world.close()
            shutil.rmtree(self.folder)

    @rule(name=_terminal, code=_code, in_session=some.booleans())
    def sell(self, name: str, code: str, in_session: bool) -> None:
        till = self.tills[name]
        before = self._row(code)
        session = SESSIONS.get(name) if in_session else None
        self._scan(name, Operation.SALE, code, session)
        if self.held_back[name]:
            return
        told = self._decided(till)
        if before is not None and before.state != "free" and before.site != till.site:
            assert told == (REJECTED, 2), told
        if told == (REJECTED, 2):
            self.sold_elsewhere.add((name, till.seq))

    @rule(parts=some.integers(1, CONTENT), back=some.integers(0, 2), together=some.booleans())
    def dispense_parts(self, parts: int, back: int, together: bool) -> None:
        """Some of a box, and some of them back; answered one by one or all together."""
        for operation, times in ((Operation.SALE, parts), (Operation.RETURN, back)):
            for _ in range(times):
                self._scan("d-a-2", operation, BOXES[0], SESSIONS["d-a-2"])
                if not together:
                    self.world.settle()

    @rule(name=_terminal, code=_code)
    def bring_back(self, name: str, code: str) -> None:
        self._scan(name, Operation.RETURN, code)

    @rule(name=_terminal, code=_code, operation=_goods)
    def at_the_dock(self, name: str, code: str, operation: Operation) -> None:
        before = self._stock()
        self._scan(name, operation, code)
        after, till = self._stock(), self.tills[name]
        if not self.held_back[name]:
            self.stock_before[name, till.seq] = {one: before.get(one) for one in after if after[one] != before.get(one)}

    @rule(name=_terminal, back=some.integers(1, 4), in_session=some.booleans())
    def void(self, name: str, back: int, in_session: bool) -> None:
        """What a scan at the dock moved lies where it lay; no other stock is touched by voiding it."""
        till = self.tills[name]
        target = till.seq + 1 - back
        if target < 1:
            return
        before = self._stock()
        self._deliver(name, till.void(target, session=SESSIONS.get(name) if in_session else None))
        if (name, target) in self.stock_before and not self.held_back[name]:
            taken_back = self._decided(till) == (ACCEPTED, 0)
            assert self._stock() == {**before, **(self.stock_before[name, target] if taken_back else {})}

    @rule(name=_terminal, code=_code, settled=some.booleans(), again=some.booleans())
    def bring_back_by_mistake(self, name: str, code: str, settled: bool, again: bool) -> None:
        """A return that is voided, and perhaps returned after all."""
        self._scan(name, Operation.RETURN, code)
        if settled:
            self.world.settle()
        self._deliver(name, self.tills[name].void(self.tills[name].seq))
        if again:
            self._scan(name, Operation.RETURN, code)

    @rule(name=_terminal, code=_code, operation=_at_dock, then=_at_dock)
    def count_by_mistake(self, name: str, code: str, operation: Operation, then: Operation) -> None:
        """Two scans at the dock, and both taken back, the last first."""
        self.at_the_dock(name, code, operation)
        self.at_the_dock(name, code, then)
        self.void(name, 1, in_session=False)
        self.void(name, 3, in_session=False)

    @rule(entered=some.integers(0, 3), sold=some.integers(1, 4))
    def sell_without_codes(self, entered: int, sold: int) -> None:
        ledger, now = self.world.ledger, self.world.clock.now()
        if entered:
            register.enter(ledger, SITE, "P-1", "B1", entered, "op-1", now)
            self.in_register += entered
        if sold <= self.in_register:
            register.sell(ledger, SITE, "P-1", sold, "S-r", "op-1", now)
            self.in_register -= sold
        else:
            with pytest.raises(StockShort):
                register.sell(ledger, SITE, "P-1", sold, "S-r", "op-1", now)
        left = [one.remaining for one in register.listed(ledger, SITE)]
        assert sum(left) == self.in_register
        assert min(left, default=0) >= 0

    @rule(name=_terminal, code=_code)
    def keep_back_a_sale(self, name: str, code: str) -> None:
        """Its record comes behind those that follow it."""
        till = self.tills[name]
        self.held_back[name].append(till.scan(**_carried(code)))

    @rule(name=_terminal)
    def what_was_kept_back_comes(self, name: str) -> None:
        kept, self.held_back[name] = self.held_back[name], []
        self.world.deliver(self.tills[name], *reversed(kept))

    @rule()
    def settle(self) -> None:
        self.world.settle()

    @rule(seconds=some.sampled_from([1, 12]))
    def time_passes(self, seconds: int) -> None:
        self._wait(seconds)

    @rule(reachable=_mostly, loses=_mostly.map(lambda yes: not yes))
    def the_platform_comes_and_goes(self, reachable: bool, loses: bool) -> None:
        self.world.platform.reachable, self.world.platform.loses_answers = reachable, loses

    @rule(code=_code, reason=some.sampled_from([0, 0, 1, 2, 13]), reversals=some.booleans())
    def the_platform_changes_its_mind(self, code: str, reason: int, reversals: bool) -> None:
        self.world.platform.refuses[code] = reason
        self.world.platform.refuses_reversals = reversals

    @rule()
    def calm(self) -> None:
        """Everything arrives and is answered."""
        for name in TERMINALS:
            self.what_was_kept_back_comes(name)
        self.world.platform.reachable, self.world.platform.loses_answers = True, False
        left: Any = ["not looked yet"]
        for _ in range(12):
            if not left:
                break
            self._wait(12)
            self.world.settle()
            with self.world.ledger.read() as connection:
                unsettled = outbox.c.state.not_in(["done", "cancelled"])
                left = connection.execute(sa.select(outbox.c.key, outbox.c.state).where(unsettled)).all()
        assert not left
        self.one_story()

    @invariant()
    def nothing_is_below_zero_or_in_two_places(self) -> None:
        for row in self._rows():
            assert row.repeats >= 0
            assert (row.state == "opened") == (row.parts > 0)
            assert 0 <= row.parts <= CONTENT
            assert row.state == "free" or row.stock is None, "what is sold lies in no stock"
            assert (row.site is None) == (row.state == "free")
        for session in SESSIONS.values():
            taken = shop.lines(self.world, session)
            assert 0 <= taken[0] <= PIECES
            assert 0 <= sum(taken[1:]) <= WHOLE

    @invariant()
    def nothing_is_sold_twice_at_the_platform(self) -> None:
        """Replays what the platform took: a sale finds its box free, a reversal its sale standing."""
        self.standing = books.sold_at_the_platform(self.world, EVERY, CONTENT)

    @invariant()
    def nothing_is_counted_or_placed_by_what_was_taken_back(self) -> None:
        assert books.counting_or_placing(self.world) <= books.standing(self.world)

    @invariant()
    def whoever_presents_what_another_site_sold_is_told_of(self) -> None:
        alerted = {(device, seq) for kind, device, seq, _ in shop.alerts(self.world) if kind == "sold-elsewhere"}
        assert self.sold_elsewhere <= alerted

    def one_story(self) -> None:
        """Once all is answered, code rows, verdicts, the platform's book and the audit say the same."""
        findings = audit(self.world.url, self.world.sites, self.world.clock.now())
        assert findings.clean, findings.lines()
        self.nothing_is_sold_twice_at_the_platform()
        rows = {row.code: row for row in self._rows()}
        for code, keys in self.standing.items():
            row = rows.get(code)
            split = bool(keys) and self.world.platform.taken[keys[0]].split
            expected = "free" if not keys else "opened" if split else "sold"
            assert (row.state if row else "free") == expected, (code, keys)
            assert (row.parts if row else 0) == (len(keys) if split else 0)
        accepted = books.accepted_sales(self.world)
        assert accepted == {key for keys in self.standing.values() for key in keys}
        for name, session in SESSIONS.items():
            mine = [self.world.platform.taken[key] for key in accepted]
            split = [one.split for one in mine if one.session == session and one.code not in OTHERS]
            taken = shop.lines(self.world, session)
            assert (taken[0], sum(taken[1:])) == (sum(split), split.count(False)), name

    def _scan(self, name: str, operation: Operation, code: str, session: str | None = None) -> None:
        self._deliver(name, self.tills[name].scan(operation=operation, session=session, **_carried(code)))

    def _deliver(self, name: str, message: bytes) -> None:
        self.world.deliver(self.tills[name], message)

    def _decided(self, till: Terminal) -> tuple[int, int]:
        wanted = sa.select(scans.c.outcome, scans.c.reason)
        wanted = wanted.where(scans.c.device == till.peer.device, scans.c.seq == till.seq)
        with self.world.ledger.read() as connection:
            return tuple(connection.execute(wanted).one())  # pyright: ignore[reportReturnType]

    def _wait(self, seconds: int) -> None:
        self.world.clock.ms += seconds * 1_000
        self.world.intake.tick()

    def _stock(self) -> dict[str, str | None]:
        return {row.code: row.stock for row in self._rows()}

    def _row(self, code: str) -> Any:
        return next((row for row in self._rows() if row.code == code), None)

    def _rows(self) -> Any:
        with self.world.ledger.read() as connection:
            return connection.execute(sa.select(codes)).all()


def _carried(code: str) -> dict[str, Any]:
    return {"data": code.encode(), "family": Family.GS1 if code in OTHERS else Family.TWENTY_DIGIT}


Play.TestCase.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True,
)  # fmt: skip
TestPlay = Play.TestCase
