"""The page of security provisions: each provision has its row, each row its evidence or why there is none."""

import re

import pytest

from tests.documents import ROOT, codes

PAGE = ROOT / "docs" / "security-provisions.md"
# How many provisions each clause of ETSI EN 303 645 V2.1.1 has.
CLAUSES = {
    "5.1": 5, "5.2": 3, "5.3": 16, "5.4": 4, "5.5": 8, "5.6": 9, "5.7": 2, "5.8": 3, "5.9": 3, "5.10": 1, "5.11": 4,
    "5.12": 3, "5.13": 1, "6": 5,
}  # fmt: skip
ROW = re.compile(r"^\| ([\d.,\- to]+) \| (M|R|L[123]) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE.read_text("utf-8"))
REASONS = (
    "not met",
    "none",
    "never",
    "nothing",
    "no identity",
    "it can be",
    "not encrypted",
    "not proven",
    "see ",
    "as 4",
    "the same",
    "own choice",
    "alone",
    "operators by badge",
    "one release key",
    "eFuses",
    "SHA, AES",
)


def test_every_provision_of_the_standard_has_its_row() -> None:
    found = [number for number, level, _, _ in ROWS if level in "MR"]
    assert found == [f"{clause}-{at}" for clause, count in CLAUSES.items() for at in range(1, count + 1)]


def test_every_table_row_is_read() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if re.match(r"\| \d", line)]
    assert len(lines) == len(ROWS)


@pytest.mark.parametrize(("number", "evidence"), [(number, said) for number, _, _, said in ROWS])
def test_a_row_names_what_shows_it_or_why_not(number: str, evidence: str) -> None:
    named = re.findall(r"`([^`]+)`", evidence)
    assert named or any(reason in evidence for reason in REASONS), number


@pytest.mark.parametrize("name", ["security-provisions.md", "threat-model.md", "threat-model.zh-CN.md"])
def test_each_test_that_is_named_is_there(name: str) -> None:
    tests = [code.partition("::") for code in codes(ROOT / "docs" / name) if "::" in code]
    assert tests
    for path, _, test in tests:
        assert f"def {test}(" in (ROOT / path).read_text("utf-8"), f"{path}::{test}"


def test_both_languages_of_the_threat_model_name_the_same_evidence() -> None:
    english, chinese = (
        sorted(code for code in codes(ROOT / "docs" / name) if code.startswith("tests/"))
        for name in ("threat-model.md", "threat-model.zh-CN.md")
    )
    assert english == chinese
