"""A bridge's clock that goes back holds nothing up: what was written before is not waited for until it comes again."""

import pytest

from tests.bridge.world import CODES, World

_BACK_MS = 30 * 86_400_000


def _go_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's clock was a month ahead, and is set right; its ticks go on."""
    clock = world.clock
    monkeypatch.setattr(clock, "now", lambda: clock.ms - _BACK_MS)


def _later(world: World, ms: int) -> None:
    end = world.clock.ms + ms
    while world.clock.ms < end:
        world.clock.ms += 5_000
        world.intake.tick()
        world.settle()


def test_a_sale_that_was_not_told_yet_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    _go_back(world, monkeypatch)
    _later(world, 20_000)
    assert till.outcomes()[-1] == (1, 0, 0)


def test_a_sale_whose_answer_was_lost_is_asked_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    till = world.terminal()
    world.platform.loses_answers = True
    world.sell(till, CODES[0])
    world.platform.loses_answers = False
    _go_back(world, monkeypatch)
    _later(world, 20_000)
    assert till.outcomes()[-1] == (1, 0, 0)


def test_a_gap_is_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    till = world.terminal()
    till.scan(CODES[0])
    world.deliver(till, till.scan(CODES[1]))
    _go_back(world, monkeypatch)
    _later(world, 90_000)
    assert [one.name for one in till.commands()] == ["resend"]
