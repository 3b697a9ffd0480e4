"""The device's table of application identifiers, and what a value of each may be."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
for _folder in (_ROOT / "tests" / "stubs", _ROOT / "firmware"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

from scanlatch.read import gs1, gs1_table  # noqa: E402

_GENERATOR = _ROOT / "tools" / "scripts" / "make_gs1_table.py"
_TABLE = _ROOT / "firmware" / "scanlatch" / "read" / "gs1_table.py"
_DICTIONARY = os.environ.get("SCANLATCH_GS1_DICTIONARY", "")
_NEARBY = _ROOT.parent / "shared" / "data" / "gs1-syntax-dictionary.txt"
_ROOM = 4096  # bytes of the device's heap that the table may take

GTIN = "06901234567892"
_X = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def _refused(message: str) -> str | None:
    try:
        gs1.parse(message.encode())
    except ValueError as error:
        return error.args[0]
    return None


def test_the_table_is_what_its_generator_writes() -> None:
    dictionary = Path(_DICTIONARY) if _DICTIONARY else _NEARBY
    if not dictionary.is_file():
        pytest.skip(f"GS1's syntax dictionary is not at hand: name it in SCANLATCH_GS1_DICTIONARY ({dictionary})")
    commit = re.search(r"[0-9a-f]{40}", _TABLE.read_text("utf-8"))
    assert commit
    done = subprocess.run(
        [sys.executable, str(_GENERATOR), str(dictionary), commit[0], "--check"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr or f"{_TABLE} is not what {_GENERATOR} writes"


def test_a_dictionary_that_has_a_form_of_its_own_is_refused(tmp_path: Path) -> None:
    for line in ("01 *? Q14,csum # GTIN", "01 ? N14\n0 N2", "nonsense"):
        path = tmp_path / "dictionary.txt"
        path.write_text(line)
        done = subprocess.run(
            [sys.executable, str(_GENERATOR), str(path), "0" * 40], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "dictionary.txt" in done.stderr


def test_the_table_is_small_and_names_its_source() -> None:
    assert len(gs1_table.ROWS) + len(gs1_table.FORMS) <= _ROOM
    text = _TABLE.read_text("utf-8")
    assert text.partition("\n")[0].endswith("Generated, do not edit.")
    for named in (
        "gs1/gs1-syntax-dictionary",
        "Apache License",
        "GS1 AISBL",
        "ff2eb4bfc8f647aa3244626bdb875165d067a3e6",
    ):
        assert named in text


# Medicine's identifiers: least, most, characters of the value, and whether a separator may be left out behind it.
_MEDICINE: list[tuple[str, int, int, str, bool]] = [
    ("20", 2, 2, "n", True),
    ("10", 1, 20, "x", False),
    ("21", 1, 20, "x", False),
    ("22", 1, 20, "x", False),
    ("235", 1, 28, "x", False),
    ("240", 1, 30, "x", False),
    ("30", 1, 8, "n", False),
    ("37", 1, 8, "n", False),
    ("7004", 1, 4, "n", False),
    *((f"71{digit}", 1, 20, "x", False) for digit in range(8)),
    ("8200", 1, 70, "x", False),
    ("90", 1, 30, "x", False),
    *((str(ai), 1, 90, "x", False) for ai in range(91, 100)),
]


@pytest.mark.parametrize(("ai", "least", "most", "kind", "predefined"), _MEDICINE)
def test_a_value_has_its_length_and_its_characters(ai: str, least: int, most: int, kind: str, predefined: bool) -> None:
    value = ("1234567890" if kind == "n" else _X[::-1] * 2) * 9
    for count in {least, most}:
        assert gs1.parse(f"{ai}{value[:count]}\x1d".encode()) == {ai: value[:count]}
    assert _refused(f"{ai}{value[:most]}01{GTIN}") == (None if predefined else "separator")
    assert _refused(f"{ai}{'1' * (least - 1)}") == "value"
    assert _refused(f"{ai}{'1' * (most + 1)}") in ("separator", "identifier")
    for sign in "#$@[\\]^`{|}~\x7f\x00 é":
        assert _refused(f"{ai}{sign * least}") is not None
    if kind == "n":
        assert _refused(f"{ai}{'A' * least}") == "value"
    else:
        for sign in _X:
            assert gs1.parse(f"{ai}{sign}".encode()) == {ai: sign}


@pytest.mark.parametrize(("ai", "digits"), [("00", "340123451234567895"), ("01", GTIN), ("02", GTIN)])
def test_a_number_has_its_check_digit(ai: str, digits: str) -> None:
    assert gs1.parse(f"{ai}{digits}".encode()) == {ai: digits}
    for last in "0123456789":
        assert (_refused(f"{ai}{digits[:-1]}{last}") == "check") == (last != digits[-1])
    assert _refused(f"{ai}{digits[:-1]}") == "value"
    assert _refused(f"{ai}{digits}1") in ("identifier", "value")
    assert gs1.parse(f"{ai}{digits}2011".encode()) == {ai: digits, "20": "11"}


@pytest.mark.parametrize("ai", ["11", "12", "13", "15", "16", "17"])
def test_a_date_is_one_and_its_day_may_be_00(ai: str) -> None:
    for date in ("270100", "271231", "280229", "240229", "000229", "760229", "770131", "991130", "270430"):
        assert gs1.parse(f"{ai}{date}".encode()) == {ai: date}
    for date in ("270001", "271301", "270132", "270431", "270229", "770229", "270230", "279999"):
        assert _refused(f"{ai}{date}") == "date", date
    for broken in ("27123", "27123A", "27 231"):
        assert _refused(f"{ai}{broken}") == "value", broken


def test_an_expiry_of_minutes_is_a_date_and_a_time() -> None:
    assert gs1.parse(b"70032712312359") == {"7003": "2712312359"}
    assert _refused("70032712002359") == "date"  # a moment has a day
    assert _refused("70032712312400") == "time"
    assert _refused("70032712312360") == "time"
    assert _refused("7003271231235") == "value"


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (f"\x1d01{GTIN}\x1d10B7\x1d", {"01": GTIN, "10": "B7"}),
        (f"01{GTIN}\x1d17271231\x1d21A\x1d10B", {"01": GTIN, "17": "271231", "21": "A", "10": "B"}),
        (f"01{GTIN}01{GTIN}21A", {"01": GTIN, "21": "A"}),  # said twice, and the same
        ("253" + "9501101531000" + "\x1d10B", {"253": "9501101531000", "10": "B"}),
        ("253" + "9501101531000AB", {"253": "9501101531000AB"}),
        ("423156276\x1d10B", {"423": "156276", "10": "B"}),
    ],
)
def test_separators_stand_wherever_they_may(message: str, found: dict[str, str]) -> None:
    assert gs1.parse(message.encode()) == found


@pytest.mark.parametrize(
    ("message", "why", "at"),
    [
        ("", "empty", 0),
        ("\x1d", "empty", 1),
        ("(01)1", "people", 0),
        ("1" * 513, "size", 512),
        (f"01{GTIN}\x1d\x1d10B", "identifier", 17),
        (f"01{GTIN}21{'A' * 20}1", "separator", 38),
        (f"01{GTIN}7003271231235921A", "separator", 30),
        ("422156" + "10B", "separator", 6),
        ("42315627", "value", 6),
        ("10A\x1d10B", "twice", 4),
        ("10A\x1d" * 40, "many", 128),
        ("0", "identifier", 0),
        ("310", "identifier", 0),
        ("3106123456", "identifier", 0),
        ("A", "identifier", 0),
    ],
)
def test_what_is_wrong_is_told_with_its_place(message: str, why: str, at: int) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        gs1.parse(message.encode())
    assert caught.value.args == (why, at)


@pytest.mark.parametrize(
    ("message", "lost"),
    [
        (f"01{GTIN}21ABC12317271231", "date behind the serial"),
        (f"01{GTIN}21AB1125010117271231", "two dates behind the serial"),
        (f"01{GTIN}21AB1727123110B7", "date and batch behind the serial"),
        (f"01{GTIN}1727123121AB10B7", "batch behind the serial"),
        (f"01{GTIN}1727123110B721ABC123", "serial behind the batch"),
        (f"01{GTIN}21A01{GTIN}"[:36], "the next label behind the serial"),
    ],
)
def test_a_separator_that_was_lost_is_not_guessed(message: str, lost: str) -> None:
    assert _refused(message) == "separator", lost
