"""What may go wrong in a world. Each is a way of going wrong that lasts; a world has some of them."""

from collections.abc import Callable
from typing import Any

from tests.simulation.terminal import Terminal

Plague = Callable[[Any], None]
_KINDS = ("lost", "half", "garbage", "unstable")


def power_fails(world: Any) -> None:
    """Terminals go dark between two steps, and start again; some only softly, so that their RTC runs on."""

    def dark() -> None:
        terminal = world.random.choice(world.terminals)
        terminal.cut("power")
        terminal.soft = world.random.random() < 0.3
        world.later(100, 6_000, lambda: start(terminal))

    world.during(9_000, dark)


def power_fails_in_flash(world: Any) -> None:
    """Power fails within a program or an erase, and leaves it lost, half done, garbage or undecided."""

    def soon() -> None:
        terminal = world.random.choice(world.terminals)
        if terminal.on:
            terminal.flash.cut(world.random.randrange(1, 6), world.random.choice(_KINDS))
        else:
            start(terminal)

    world.during(4_000, soon)


def bridges_die(world: Any) -> None:
    """A bridge dies before some step: a statement, a commit, a publish, an acknowledgement, a call."""

    def soon() -> None:
        bridge = world.random.choice(world.bridges)
        if bridge.alive:
            bridge.crash_in = world.random.choice((1, 1, 2, 3, 5, 8, 13, 21, 34, 55))
        else:
            bridge.start()

    world.during(3_000, soon)


def disk_is_full(world: Any) -> None:
    """The ledger's disk does not take a statement."""

    def soon() -> None:
        world.random.choice(world.bridges).busy_in = world.random.randrange(1, 30)

    world.during(4_000, soon)


def lines_break(world: Any) -> None:
    """Lines end, or fall silent before they do."""

    def soon() -> None:
        some = world.random.choice([*world.terminals, *world.bridges])
        if world.random.random() < 0.5:
            some.fall_silent()
        else:
            some.hang_up()

    world.during(4_000, soon)


def parts_are_cut_off(world: Any) -> None:
    """A terminal or a bridge can't reach the broker for a while."""

    def away() -> None:
        some = world.random.choice([*world.terminals, *world.bridges])
        some.reachable = False
        some.fall_silent()

        def back() -> None:
            some.reachable = True

        world.later(2_000, 25_000, back)

    world.during(15_000, away)


def broker_restarts(world: Any) -> None:
    """The broker stops and comes back with what it had stored."""
    world.during(15_000, lambda: _broker(world, forgets=False))


def broker_forgets(world: Any) -> None:
    """The broker comes back empty: what it had acknowledged is gone."""
    world.during(15_000, lambda: _broker(world, forgets=True))


def broker_is_small(world: Any) -> None:
    """The broker drops what it has no room for."""
    world.weather.queue = world.random.choice((1, 2, 4))


def messages_double(world: Any) -> None:
    """Messages come twice."""
    world.weather.doubles = 0.3


def messages_overtake(world: Any) -> None:
    """Messages in flight come in any order."""
    world.weather.disorder = 0.3


def lines_are_slow(world: Any) -> None:
    """A message takes its time."""
    world.weather.delay = world.random.choice(((50.0, 400.0), (1.0, 3_000.0)))


def acknowledgements_are_lost(world: Any) -> None:
    """The line breaks in place of PUBACK."""
    world.weather.acks_lost = 0.08


def platform_loses_answers(world: Any) -> None:
    """Calls have no answer, whether they were made or not, or arrive when nobody waits any more."""
    world.mood.lost = 0.35


def platform_is_slow(world: Any) -> None:
    """A call takes seconds, or longer than a claim lasts."""
    world.mood.slow, world.mood.slow_ms = 0.3, world.random.choice((3_000.0, 40_000.0))


def platform_is_odd(world: Any) -> None:
    """Answers come mixed up, twice, and about what nobody asked."""
    world.mood.odd = 0.5


def platform_is_away(world: Any) -> None:
    """The platform can't be reached for a while."""

    def turn() -> None:
        world.mood.away = not world.mood.away

    world.during(8_000, turn)


def clocks_step(world: Any) -> None:
    """NTP puts a bridge's clock forward or back; a terminal's RTC is wrong, or was never set."""

    def step() -> None:
        world.random.choice(world.bridges).skew += world.random.choice((-60_000, -5_000, -200, 200, 5_000, 60_000))
        world.random.choice(world.terminals).rtc_off = world.random.choice((0, -3_600_000, 86_400_000, -(10**12)))

    world.during(6_000, step)


def broker_is_hostile(world: Any) -> None:
    """Who owns the broker replays, bends, swaps, forges and intrudes."""
    world.during(700, world.hostile.act)


def key_is_stolen(world: Any) -> None:
    """Somebody has a terminal's key, and signs other bytes under a number that was used."""
    terminal = world.random.choice(world.terminals)

    def clone() -> None:
        records = world.watch.records(terminal.name)
        if records:
            seq = world.random.randrange(1, records + 1)
            world.hostile.clone(world.stage.peers[terminal.name], terminal.site, seq)

    if world.random.random() < 0.4:
        world.cloned.add(terminal.name)
        world.during(6_000, clone)


def ring_is_full(world: Any) -> None:
    """A terminal is offline, and scanned at until its ring takes no more."""
    terminal = world.random.choice(world.terminals)

    def flood() -> None:
        terminal.reachable = False
        terminal.fall_silent()
        world.flooded = True
        for number in range(140):
            at = number * 60.0
            code = world.codes[number % len(world.codes)]
            world.scheduler.after(at, lambda code=code: None if world.healed else terminal.scan(code))

    if world.random.random() < 0.25:
        world.later(500, 5_000, flood)


def start(terminal: Terminal) -> None:
    """Power on, where it is off."""
    if not terminal.on:
        terminal.start()


def _broker(world: Any, *, forgets: bool) -> None:
    world.log("broker restarts", forgets)
    world.broker.up = False
    world.broker.restart(forgets=forgets)

    def back() -> None:
        world.broker.up = True

    world.later(50, 4_000, back)


PLAGUES: tuple[Plague, ...] = (
    power_fails, power_fails_in_flash, bridges_die, disk_is_full, lines_break, parts_are_cut_off, broker_restarts,
    broker_forgets, broker_is_small, messages_double, messages_overtake, lines_are_slow, acknowledgements_are_lost,
    platform_loses_answers, platform_is_slow, platform_is_odd, platform_is_away, clocks_step, broker_is_hostile,
    ring_is_full,
    key_is_stolen,
)  # fmt: skip
