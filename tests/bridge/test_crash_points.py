"""The bridge dies at every point of a day in turn; what it left is taken up, and the books are those of a day without.

A point lies before every statement and every commit, before every message and acknowledgement that leaves, and before
and behind every call of the platform. They are counted on a run that does not die.
"""

import os
import random

import pytest

from tests.bridge.days import Runner, clean, folder, runner
from tests.bridge.deadly_run import Run

__all__ = ["clean", "folder", "runner"]

FULL = bool(os.environ.get("SCANLATCH_FULL"))
STRIDE = {"sqlite": 1 if FULL else 24, "postgresql": 4 if FULL else 96}
TWICE = 400 if FULL else 4  # runs that die twice
NEAR = 40  # points between the two deaths, at most: within what the first one left to be taken up
pytestmark = pytest.mark.timeout(3_600 if FULL else 300)


def _check(run: Run, clean: Run, at: str) -> None:
    """The day came out as the clean one, and nothing was done meanwhile that must not be."""
    assert run.told == [], at
    assert run.books == clean.books, at
    assert run.answers == clean.answers, at
    assert run.platform.taken.keys() == clean.platform.taken.keys(), at
    assert run.platform.refused == clean.platform.refused, at
    for key in clean.platform.taken:
        more = run.platform.asked.count(key) - clean.platform.asked.count(key)
        assert more <= run.died, f"{at}: {key} was asked about {more} times more"


def test_the_day_comes_by_every_kind_of_point(clean: Run) -> None:
    assert set(clean.points.names) == {
        "statement", "commit", "before publish", "before acknowledgement",
        "before submit", "behind submit", "before ask", "behind ask",
    }  # fmt: skip
    assert len(clean.points.names) > 800


def test_a_bridge_that_dies_at_any_point_loses_doubles_and_changes_nothing(
    request: pytest.FixtureRequest, runner: Runner, clean: Run
) -> None:
    stride = STRIDE[request.node.callspec.params["runner"]]
    points = range(random.randrange(stride), len(clean.points.names), stride)
    for number, point in enumerate(points):
        slow = bool(number % 2)
        run = runner(point, slow=slow)
        _check(run, clean, f"died at point {point}, {clean.points.names[point]}, {slow=}")
        assert run.died == 1


def test_a_bridge_that_dies_again_while_it_takes_up_what_was_left(runner: Runner, clean: Run) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    for _ in range(TWICE):
        first = chance.randrange(len(clean.points.names) - 2 * NEAR)
        both = first, first + chance.randint(1, NEAR)
        run = runner(*both, slow=chance.random() < 0.5)
        _check(run, clean, f"seed {seed}, died at points {both}")
        assert run.died == 2
