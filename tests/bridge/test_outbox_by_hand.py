"""`scanlatch bridge outbox`: what is stuck is seen, held and put back; nothing is sent twice by it."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from host_bridge.cli import app
from host_bridge.ledger.schema import outbox
from host_bridge.wire import Operation
from tests.bridge.world import CODES, Terminal, World

ACCEPTED, REJECTED = 0, 1


@pytest.fixture
def config(world: World, tmp_path: Path) -> Path:
    path = tmp_path / "bridge.toml"
    path.write_text(
        f"""
[mqtt]
host = "127.0.0.1"
[bridge]
agreement_key = "agreement.key"
[ledger]
url = "{world.url}"
[platform]
kind = "rest"
url = "http://127.0.0.1:1"
institution = "H00000000001"
[sites.clinic-7]
name = "Clinic 7"
"""
    )
    return path


def _outbox(config: Path, *arguments: str, fails: bool = False) -> str:
    done = CliRunner().invoke(app, ["outbox", *arguments, "--config", str(config)])
    assert done.exit_code == (1 if fails else 0), done.output
    return done.output


def _listed(config: Path, *arguments: str) -> list[dict[str, Any]]:
    told = json.loads(_outbox(config, "list", "--json", *arguments))
    rows: list[dict[str, Any]] = told["rows"]
    return rows


def _lost(world: World, *codes: str) -> Terminal:
    """Sales whose answers were lost; the terminal that made them."""
    world.platform.loses_answers = True
    till = world.terminal()
    world.deliver(till, *(till.scan(code) for code in codes))
    world.settle()
    world.platform.loses_answers = False
    return till


def _tomorrow(world: World) -> None:
    """All that is open was tried so often that its turn does not come today."""
    with world.ledger.write() as connection:
        connection.execute(sa.update(outbox).values(next_at=world.clock.now() + 86_400_000))


def _take_turns(world: World) -> None:
    """Whatever is due goes out, once the platform's own wait is over."""
    for _ in range(3):
        world.later(10_000)
        world.settle()


def test_list_tells_state_attempts_age_and_why(world: World, config: Path) -> None:
    world.platform.reachable = False
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    world.settle()
    row = _listed(config)[0]
    assert {name: row[name] for name in ("key", "kind", "code", "state", "attempts", "stuck", "trouble", "payer")} == {
        "key": "d-window-01/1",
        "kind": "sale",
        "code": CODES[0],
        "state": "unknown",
        "attempts": 1,
        "stuck": False,
        "trouble": 14,
        "payer": "insured",
    }
    assert row["made_at"] == world.clock.now()
    assert row["age_s"] >= 0
    assert "d-window-01/1" in _outbox(config, "list")
    assert _listed(config, "--stuck") == []


def test_held_row_is_not_sent_and_its_reason_is_shown(world: World, config: Path) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]), till.scan(CODES[1]))
    _outbox(config, "hold", "d-window-01/1", "--reason", "the clinic asked")
    for _ in range(60):
        world.settle()
        world.later(1_000)
    assert world.platform.submitted == ["d-window-01/2"]
    assert [(row["state"], row["detail"]) for row in _listed(config, "--stuck")] == [("parked", "the clinic asked")]


def test_retry_of_what_was_never_sent_sends_it(world: World, config: Path) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    _outbox(config, "hold", "d-window-01/1", "--reason", "wait")
    _outbox(config, "retry", "d-window-01/1")
    world.settle()
    assert (world.platform.submitted, world.platform.asked) == (["d-window-01/1"], [])
    assert till.outcomes() == [(1, ACCEPTED, 0)]
    assert _listed(config) == []


def test_retry_of_what_may_have_been_taken_asks_first(world: World, config: Path) -> None:
    _lost(world, CODES[0])
    _outbox(config, "hold", "d-window-01/1", "--reason", "ask the platform by telephone")
    world.later(60_000)
    world.settle()
    assert world.platform.asked == []
    _outbox(config, "retry", "d-window-01/1")
    world.settle()
    assert (world.platform.submitted, world.platform.asked) == (["d-window-01/1"], ["d-window-01/1"])
    assert world.platform.sold(CODES[0]) == 1


def test_retry_does_not_wait_for_the_next_try(world: World, config: Path) -> None:
    _lost(world, CODES[0])
    asked: list[str] = []
    ask = world.platform.ask
    world.platform.ask = lambda keys: asked.extend(keys) or []  # type: ignore[func-returns-value,method-assign]
    while len(asked) < 12:
        world.later(1_000)
        world.settle()
    world.platform.ask = ask  # type: ignore[method-assign]
    world.later(10_000)  # the platform's own wait, at most; the row's is longer by now
    world.settle()
    assert world.platform.asked == []
    _outbox(config, "retry", "d-window-01/1")
    world.settle()
    assert world.platform.asked == ["d-window-01/1"]


def test_only_what_is_open_and_not_under_way_can_be_taken_in_hand(world: World, config: Path) -> None:
    _lost(world, CODES[0])
    till = world.terminal("d-window-02")
    world.deliver(till, till.scan(CODES[1]))
    world.later(1_000)
    world.settle()
    for verb in (("retry",), ("hold", "--reason", "x")):
        assert "is settled" in _outbox(config, *verb, "d-window-02/1", fails=True)
        assert "no such submission" in _outbox(config, *verb, "nobody/1", fails=True)


def _waits_for_its_sale(world: World) -> None:
    """d-window-01/1 is a sale whose answer was lost, d-window-01/2 the void that waits for it."""
    till = _lost(world, CODES[0])
    world.deliver(till, till.void(1))
    _tomorrow(world)


def test_reversal_that_waits_for_its_sale_is_held_with_its_sale(world: World, config: Path) -> None:
    _waits_for_its_sale(world)
    told = _outbox(config, "hold", "d-window-01/2", "--reason", "x", fails=True)
    assert "waits for the answer to d-window-01/1: hold that one" in told
    _outbox(config, "hold", "d-window-01/1", "--reason", "x")
    told = _outbox(config, "retry", "d-window-01/2", fails=True)
    assert "d-window-01/1, which is held by hand: retry that one" in told
    assert [(row["state"], row["after"]) for row in _listed(config)] == [("parked", None), ("held", "d-window-01/1")]


def test_retry_of_a_reversal_drives_the_sale_that_it_waits_for(world: World, config: Path) -> None:
    _waits_for_its_sale(world)
    assert "d-window-01/2: waits for the answer to d-window-01/1" in _outbox(config, "retry", "d-window-01/2")
    _take_turns(world)
    assert (world.platform.asked, world.platform.sold(CODES[0])) == (["d-window-01/1"], 0)
    assert _listed(config) == []


def test_retry_releases_a_reversal_whose_sale_has_its_answer(world: World, config: Path) -> None:
    """As in a ledger that was mended by hand: nothing else would ever move it."""
    _waits_for_its_sale(world)
    with world.ledger.write() as connection:
        connection.execute(sa.update(outbox).where(outbox.c.kind == "sale").values(state="done"))
    _take_turns(world)
    assert [row["state"] for row in _listed(config)] == ["held"]
    assert "goes out" in _outbox(config, "retry", "d-window-01/2")
    _take_turns(world)
    assert (world.platform.submitted[-1], world.platform.sold(CODES[0]), _listed(config)) == ("d-window-01/2", 0, [])


def test_who_comes_later_with_the_same_code_is_told_whose_turn_it_is(world: World, config: Path) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    _outbox(config, "hold", "d-window-01/1", "--reason", "x")
    world.deliver(till, till.scan(CODES[0], Operation.RETURN), till.scan(CODES[1]))
    told = _outbox(config, "retry", "d-window-01/2", "d-window-01/3", fails=True)
    assert "d-window-01/1, which is held by hand" in told
    assert "goes out" in _outbox(config, "retry", "d-window-01/3")
    assert {row["key"]: row["after"] for row in _listed(config)} == {
        "d-window-01/1": None,
        "d-window-01/2": "d-window-01/1",
        "d-window-01/3": None,
    }


@pytest.mark.parametrize("state", ["waiting", "unknown", "parked", "held"])
def test_every_state_that_a_row_stays_in_is_left_by_hand(world: World, config: Path, state: str) -> None:
    if state == "held":
        _waits_for_its_sale(world)
    elif state == "unknown":
        _lost(world, CODES[0])
        _tomorrow(world)
    else:
        till = world.terminal()
        world.deliver(till, till.scan(CODES[0]))
        if state == "parked":
            _outbox(config, "hold", "d-window-01/1", "--reason", "x")
    seen = _listed(config)[-1]
    assert seen["state"] == state
    _outbox(config, "retry", seen["key"])
    _take_turns(world)
    assert _listed(config) == []


@pytest.mark.parametrize("operation", [Operation.SALE, Operation.QUERY])
def test_what_was_never_sent_is_voided_though_it_is_held_by_hand(
    world: World, config: Path, operation: Operation
) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0], operation))
    _outbox(config, "hold", "d-window-01/1", "--reason", "x")
    world.deliver(till, till.void(1))
    world.settle()
    assert sorted(till.outcomes()) == [(1, REJECTED, 23), (2, ACCEPTED, 0)]
    assert (world.platform.submitted, _listed(config)) == ([], [])


def test_row_that_is_being_sent_is_left_alone(world: World, config: Path) -> None:
    submit, told = world.platform.submit, list[str]()

    def during(items: Any) -> Any:
        told.append(_outbox(config, "hold", "d-window-01/1", "--reason", "x", fails=True))
        return submit(items)

    world.platform.submit = during  # type: ignore[method-assign]
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    world.settle()
    assert "is being sent by bridge" in told[0]
    assert till.outcomes() == [(1, ACCEPTED, 0)]


def test_nothing_is_changed_where_one_key_of_several_is_wrong(world: World, config: Path) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    _outbox(config, "hold", "d-window-01/1", "nobody/1", "--reason", "x", fails=True)
    assert [row["state"] for row in _listed(config)] == ["waiting"]


def test_hold_wants_a_reason_of_one_line(world: World, config: Path) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(CODES[0]))
    for reason in ("", "  ", "two\nlines", "x" * 201):
        assert "reason" in _outbox(config, "hold", "d-window-01/1", "--reason", reason, fails=True)


def test_code_can_not_steer_the_terminal(world: World, config: Path) -> None:
    till = world.terminal()
    world.deliver(till, till.scan(data=b"[red]\x1b[2Jx", family=5))  # type: ignore[arg-type]
    world.deliver(till, till.scan(data="[red]é".encode(), family=5))  # type: ignore[arg-type]
    shown = _outbox(config, "list")
    assert "\x1b" not in shown
