"""docs/rules.md is what the bridge decides by, and every rule that was asked for has its heading there."""

import subprocess
import sys
from pathlib import Path

import pytest

from host_bridge.rules import WORDS
from host_bridge.rules_tables import FIRST, REFUSED, TABLES
from host_bridge.rules_texts import DECIDED
from host_bridge.wire import Operation

ROOT = Path(__file__).parent.parent
HEADINGS = {
    "a sale is accepted once, ever, over all sites": "Sale once",
    "again at the same site": "Duplicate here",
    "sold elsewhere": "Sold elsewhere",
    "not received here": "Not received here",
    "recalled": "Recalled",
    "expired": "Expired",
    "not on the prescription": "Substitution",
    "case code at a window": "Case at a window",
    "parent and child": "Parent and child",
    "quantity exceeded": "Quantity",
    "session missing or closed": "Session",
    "return": "Return",
    "return within so many hours": "Return in time",
    "void": "Void",
    "end of a session": "Session end",
    "receive": "Receive",
    "receive what was announced": "Announced",
    "receive what was not announced": "Not announced",
    "receive without announcement": "Without announcement",
    "wrong batch or date": "Batch or date differs",
    "dispatch": "Dispatch",
    "stock-take": "Stock-take",
    "query and its four outcomes": "Query",
    "split packs": "Split packs",
    "no-code register": "No-code register",
    "exempt": "Exempt",
    "exceptions": "Exceptions",
    "self-pay and work-injury": "Self-pay and work-injury",
    "offline policy": "Offline policy",
    "malformed": "Malformed record",
    "suspended": "Suspended device",
    "revoked": "Revoked device",
}


@pytest.mark.parametrize("asked", HEADINGS)
def test_every_rule_has_its_heading(asked: str) -> None:
    assert f"\n### {HEADINGS[asked]}\n" in (ROOT / "docs" / "rules.md").read_text("utf-8")


def test_the_page_is_what_the_tables_say() -> None:
    script = ROOT / "tools" / "scripts" / "rules_page.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_every_row_has_a_text_and_every_text_a_row() -> None:
    rows = [*FIRST, *REFUSED, *(row for rows in TABLES.values() for row in rows)]
    assert {row.rule for row in rows} == set(DECIDED)


def test_every_operation_has_a_table_that_always_answers() -> None:
    assert set(TABLES) == set(Operation)
    assert all(rows[-1].when == () for rows in TABLES.values())


def test_every_word_is_used_and_every_word_used_is_known() -> None:
    rows = [*FIRST, *(row for rows in TABLES.values() for row in rows)]
    used = {word if word in WORDS else word.removeprefix("not ") for row in rows for word in row.when}
    assert used == set(WORDS)
