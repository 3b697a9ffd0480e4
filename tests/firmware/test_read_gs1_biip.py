"""Element strings as the device reads them and as `biip` does: every difference has a rule that explains it."""

import ast
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from biip import ParseError
from biip.gs1_application_identifiers import _GS1_APPLICATION_IDENTIFIERS as _TABLE
from biip.gs1_messages import GS1Message

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from scanlatch.read import gs1  # noqa: E402

from tests.firmware.element_strings import GS, messages  # noqa: E402
from tests.firmware.interpreters import Devices  # noqa: E402

_COUNT, _SEED = 20_000, 20261122
_BATCH = 40
Ours = dict[str, str] | list[Any]  # fields, or why not and where
Theirs = list[tuple[str, str]] | None  # fields, or not


def ours(text: str) -> Ours:
    """What the device's parser says, on CPython."""
    try:
        return gs1.parse(text.encode())
    except ValueError as error:
        return list(error.args)


def theirs(text: str) -> Theirs:
    """What biip says; a check digit that does not hold it notes beside the element, here it refuses."""
    try:
        found = GS1Message.parse(text).element_strings
    except ParseError:
        return None
    if any(one.gtin_error or one.sscc_error or one.gln_error for one in found):
        return None
    return [(one.ai.ai, one.value) for one in found]


def _ends(text: str, found: list[tuple[str, str]]) -> list[str]:
    """Of each element that biip found, what stands behind it: a separator, another element, or nothing."""
    rest, behind = text.strip().lstrip(GS), []
    for ai, value in found:
        rest = rest[len(ai) + len(value) :]
        behind.append(rest[:1])
        rest = rest.lstrip(GS)
    return behind


def _unseparated(text: str, found: list[tuple[str, str]]) -> bool:
    behind = _ends(text, found)
    return any(
        _TABLE[ai].separator_required and end not in ("", GS) for (ai, _), end in zip(found, behind, strict=True)
    )


def _looks_swallowed(found: dict[str, str]) -> bool:
    """A box's serial or batch holds digits that are an identifier which the message is without."""
    missing = {"10", "11", "17", "21"} - found.keys()
    values = [found[ai] for ai in ("21", "10") if ai in found]
    return "01" in found and any(value.find(ai, 1) > 0 for ai in missing for value in values)


# What biip takes and the device does not: words of the device's refusal, and whether this is the reason.
_REFUSED: dict[str, tuple[str, Callable[[str, Any], bool]]] = {
    "nothing at all": ("empty", lambda _, found: not found),
    "several separators in a row": ("identifier", lambda text, _: GS + GS in text),
    "one identifier, two values": ("twice", lambda _, found: len(dict(found)) < len(set(found))),
    "separator missing behind a value of no predefined length": ("separator", _unseparated),
    "the same, where the rest might belong to an optional part": ("value time", _unseparated),
    "separator missing, as what the value holds tells": (
        "separator",
        lambda text, found: not _unseparated(text, found) and _looks_swallowed(dict(found)),
    ),
    "a value without characters": ("value", lambda _, found: any(not value for _, value in found)),
    "a blank at either end": ("value identifier separator", lambda text, _: text.strip() != text.strip(GS)),
    "check digits that biip leaves alone": (
        "check",
        lambda _, found: any(ai in ("253", "255", "402", "8003", "8006", "8017", "8018", "8026") for ai, _ in found),
    ),
}
# What the device takes and biip does not: identifiers with a test that the device's table is without.
_TAKEN = {
    "country, two letters": {"4307", "4317"},
    "yes or no, a zero in front or none": {"4321", "4322", "4323", "8003", "8011"},
    "at least five characters": {"8010"},
    "day of birth, sex, order of birth": {"7250", "7251", "7252", "7258"},
    "two dates, which biip takes for a date and a time": {"7007"},
}


def explained(text: str, mine: Ours, other: Theirs) -> str | None:
    """The rule that explains why they differ."""
    if isinstance(mine, list) and other is not None:
        for rule, (why, holds) in _REFUSED.items():
            if mine[0] in why.split() and holds(text, other):
                return rule
    if isinstance(mine, dict) and other is None:
        return next((rule for rule, ais in _TAKEN.items() if ais & set(mine)), None)
    return None


@pytest.fixture(scope="module")
def vectors() -> list[tuple[str, Ours]]:
    """Messages, and what the device's parser says of them."""
    return [(text, ours(text)) for text in messages(_COUNT, _SEED)]


def test_each_difference_to_biip_has_its_rule_and_each_rule_its_difference(vectors: list[tuple[str, Ours]]) -> None:
    used: Counter[str] = Counter()
    taken = refused = 0
    for text, mine in vectors:
        other = theirs(text)
        if isinstance(mine, dict) and other is not None and mine == dict(other):
            taken += 1
        elif isinstance(mine, list) and other is None:
            refused += 1
        else:
            rule = explained(text, mine, other)
            assert rule, f"seed {_SEED}: {text!r}: ours {mine}, biip {other}"
            used[rule] += 1
    assert used.keys() == _REFUSED.keys() | _TAKEN.keys(), used
    assert min(taken, refused) > _COUNT // 4, (taken, refused)


@pytest.mark.parametrize("interpreter", ["unix", "wasm"])
def test_micropython_reads_each_as_cpython_does(
    devices: Devices, vectors: list[tuple[str, Ours]], interpreter: str
) -> None:
    desk = devices.get(interpreter, "read_desk")
    some = vectors if interpreter == "unix" else vectors[:: _COUNT // 2_000]
    for at in range(0, len(some), _BATCH):
        batch = some[at : at + _BATCH]
        assert desk.call("parse", [text.encode() for text, _ in batch]) == [mine for _, mine in batch], at


def test_the_rules_explain_nothing_else() -> None:
    """What is refused for another reason is not explained away."""
    for text in ("0106901234567893", f"10A{GS}10B", "21"):
        assert explained(text, ["check", 2], [("01", "06901234567893")]) is None
        assert explained(text, ast.literal_eval("{'10': 'A'}"), None) is None
