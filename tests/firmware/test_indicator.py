"""What light and tone show, as data and on MicroPython."""

import itertools
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import light_table
from scanlatch_tools.twin import interpreter

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from scanlatch.read import kinds  # noqa: E402
from scanlatch.show.patterns import COLOURS, EVENTS, RARE, STANDING, TONES  # noqa: E402

ROWS = [row.split() for row in (EVENTS + RARE + STANDING).splitlines() if row]
ONCE = {row[0].decode(): row[1] for row in ROWS}
LOOPS = {row[0].decode(): row[2] for row in ROWS if len(row) > 2}
OUTCOMES = ("accepted", "rejected", "duplicate", "pending", "exempt", "error")


def rgb(letter: str) -> list[int]:
    at = COLOURS[::4].index(ord(letter)) * 4
    return list(COLOURS[at + 1 : at + 4])


def hz(letter: str) -> int:
    return TONES[ord(letter) - ord("a")]


WHITE, SKY, GREEN, RED, MAGENTA, DARK, IDLE = (rgb(letter) for letter in ("W", "S", "G", "R", "M", ".", "E"))


def steps(pattern: bytes) -> tuple[light_table.Step, ...]:
    return light_table.steps(pattern.decode())


def colours(pattern: bytes) -> tuple[str, ...]:
    return tuple(dict.fromkeys(step.colour for step in steps(pattern) if step.colour != "."))


def rhythm(pattern: bytes) -> tuple[int, ...]:
    return tuple(step.ms for step in steps(pattern))


def tones(pattern: bytes) -> tuple[int, ...]:
    return tuple(hz(step.tone) for step in steps(pattern) if step.tone)


@pytest.mark.parametrize("of", [colours, rhythm, tones])
def test_no_two_patterns_share(of: Any) -> None:
    same = [(a, b) for a, b in itertools.combinations(ONCE, 2) if of(ONCE[a]) == of(ONCE[b])]
    assert not same


@pytest.mark.parametrize("of", [colours, rhythm])
def test_no_two_standing_conditions_share(of: Any) -> None:
    same = [(a, b) for a, b in itertools.combinations(LOOPS, 2) if of(LOOPS[a]) == of(LOOPS[b])]
    assert not same


def test_the_first_step_tells_the_pattern() -> None:
    first: dict[tuple[str, str], set[str]] = {}
    for name, pattern in ONCE.items():
        family = name.split("_")[0] if name.startswith(("query_", "void_", "session_")) else name
        step = steps(pattern)[0]
        first.setdefault((step.colour, step.tone), set()).add(family)
    assert not {step: names for step, names in first.items() if len(names) > 1}


def test_standing_conditions_are_silent() -> None:
    assert not [name for name, loop in LOOPS.items() if tones(loop)]


def test_every_pattern_is_well_formed() -> None:
    for name, pattern in [*ONCE.items(), *LOOPS.items()]:
        for step in steps(pattern):
            assert ord(step.colour) in COLOURS[::4] and 40 <= step.ms <= 3000, name
            assert not step.tone or step.tone in "abcdefgh", name
        again = "".join(f"{step.colour}{step.ms // 10}{step.tone}" for step in steps(pattern))
        assert again.encode() == pattern, name


def test_every_pattern_has_its_row_and_its_meaning_in_the_docs_table() -> None:
    source = _ROOT / "firmware" / "scanlatch" / "show" / "patterns.py"
    rows = {row.name: row for row in light_table.rows(source)}
    assert list(rows) == list(ONCE)
    assert all(row.once == steps(ONCE[name]) and row.meaning for name, row in rows.items())
    assert all(rows[name].loop == steps(loop) for name, loop in LOOPS.items())
    table = light_table.markdown(source)
    assert "| `accepted` | sold: hand the box over | green 120, green 600 | 3300 |" in table


def test_everything_that_a_scan_may_show_has_a_pattern() -> None:
    wanted = {"read", "kept", "bounce", "full", "busy", "fault_refused", "identify", *filter(None, kinds.PATTERNS)}
    wanted |= {family + outcome for family in ("", "query_", "void_", "session_") for outcome in OUTCOMES}
    wanted |= {"foreign_control", "badge", "done", "nothing", "credential_offline", "session_open", "session_refused"}
    wanted |= {f"idle_{name}" for name in ("sale", "return", "receive", "stock-take", "query", "dispatch")}
    wanted |= {"attention", "offline", "engine", "link_refused", "fault", "idle"}
    assert wanted <= set(ONCE)


def test_every_counter_of_a_refused_symbol_is_in_health() -> None:
    source = (_ROOT / "firmware" / "scanlatch" / "start.py").read_text()
    counted = "".join(re.findall(r'^    "([a-z_ ]+)"$', source, re.MULTILINE))
    assert counted[0] == counted[-1] == " "
    assert set(filter(None, kinds.COUNTERS)) <= set(counted.split())
    assert len(counted.split()) == len(set(counted.split()))


def test_accepted_is_short_and_high_and_rejected_long_and_low() -> None:
    assert sum(rhythm(ONCE["accepted"])) < sum(rhythm(ONCE["rejected"])) / 2
    assert min(tones(ONCE["accepted"])) > 4 * max(tones(ONCE["rejected"]))


@pytest.fixture(scope="module")
def played() -> dict[str, dict[str, Any]]:
    script = Path(__file__).parent / "device_scripts" / "show_cases.py"
    path = interpreter.search_path(_ROOT / "firmware", stand_ins=False)
    done = interpreter.run([str(script)], path, heap="2M")  # the traces take more than the device has
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lights(case: dict[str, Any]) -> list[list[int]]:
    return [what for _, kind, what in case["trace"] if kind == "light"]


def sounds(case: dict[str, Any]) -> list[int]:
    return [what for _, kind, what in case["trace"] if kind == "tone" and what]


def times(case: dict[str, Any], colour: list[int]) -> list[int]:
    return [at for at, kind, what in case["trace"] if kind == "light" and what == colour]


def test_light_and_tone_are_on_when_show_returns(played: dict[str, dict[str, Any]]) -> None:
    assert [entry[1:] for entry in played["at_once"]["new"]] == [["light", WHITE], ["tone", hz("g")]]


def test_read_kept_accepted_is_seen_and_falls_back(played: dict[str, dict[str, Any]]) -> None:
    case = played["one_scan"]
    assert lights(case)[-4:] == [WHITE, SKY, GREEN, IDLE]
    assert times(case, IDLE)[-1] - times(case, GREEN)[0] == pytest.approx(720, abs=60)


def test_standing_conditions_do_not_cut_a_rejection_short(played: dict[str, dict[str, Any]]) -> None:
    case = played["not_cut_short"]
    length = sum(rhythm(ONCE["rejected"]))
    offline = times(case, SKY)[0]
    assert offline - times(case, RED)[0] >= length
    assert hz("d") not in sounds(case), "pending had ended before it could be seen"


def test_the_next_scan_replaces_at_once(played: dict[str, dict[str, Any]]) -> None:
    case = played["next_scan_replaces"]
    assert lights(case)[-4:] == [RED, WHITE, GREEN, DARK]
    assert times(case, GREEN)[0] - times(case, RED)[0] < 100


def test_a_box_left_under_the_beam_does_not_hide_its_rejection(played: dict[str, dict[str, Any]]) -> None:
    case = played["bounce_gives_back"]
    tick = rgb("D")
    assert lights(case)[2:] == [RED, DARK, RED, *4 * [tick, RED], DARK]
    ticks = 4 * 50 + 20
    assert times(case, DARK)[-1] - times(case, RED)[0] == pytest.approx(sum(rhythm(ONCE["rejected"])) + ticks, abs=120)


def test_a_bounce_with_nothing_to_give_back_is_silent(played: dict[str, dict[str, Any]]) -> None:
    case = played["bounce_alone"]
    assert rgb("D") in lights(case)
    assert lights(case)[-1] == DARK
    assert sounds(case) == [hz("g"), hz("e")]


def test_the_highest_standing_condition_shows(played: dict[str, dict[str, Any]]) -> None:
    seen = played["highest_stands"]["seen"]
    for name in LOOPS:
        if name + " on" in seen:
            assert seen[name + " on"][0] == rgb(chr(ONCE[name][0])), name
    below = {"fault off": "engine", "engine off": "attention", "attention off": "pending", "pending off": "offline"}
    for change, name in below.items():
        assert seen[change][0] == rgb(chr(LOOPS[name][0])), change
    assert seen["idle off"] == [DARK]


def test_what_comes_and_goes_sounds_once_a_minute(played: dict[str, dict[str, Any]]) -> None:
    assert played["told_once_a_minute"]["counts"] == [2, 0, 2]


def test_pending_sounds_once(played: dict[str, dict[str, Any]]) -> None:
    case = played["pending_sounds_once"]
    assert sounds(case) == [hz("d")]
    assert lights(case).count(DARK) >= 2, "it goes on blinking"


def test_patterns_do_not_block_the_loop(played: dict[str, dict[str, Any]]) -> None:
    # Where it did, the loop would turn once a step, and a step takes 50 ms and more. A busy machine delays some turns.
    assert played["does_not_block"]["median_us"] < 20_000


def test_a_name_that_nobody_knows_is_loud(played: dict[str, dict[str, Any]]) -> None:
    case = played["unknown_name"]
    assert lights(case)[:2] == [MAGENTA, DARK]
    assert RED in lights(case), "as a fault"


def test_showing_a_scan_takes_little_heap(played: dict[str, dict[str, Any]]) -> None:
    assert played["allocates_little"]["bytes_a_scan"] <= 512  # garbage of three look-ups; half of it on the chip
