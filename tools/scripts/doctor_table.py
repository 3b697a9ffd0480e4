"""Writes the table of all findings into docs/doctor.md: `.venv/bin/python tools/scripts/doctor_table.py`."""

import re
from pathlib import Path

from scanlatch_tools.doctor.texts import FINDINGS

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
_SIGNS = {"warn": "!", "bad": "✗"}
_BETWEEN = re.compile(r"(<!-- findings: .*? -->\n).*?(\n<!-- end -->)", re.DOTALL)


def table() -> str:
    """Every finding that is no good one, with what to do."""
    rows = ["| about | | finding | what to do |", "|---|---|---|---|"]
    for key, said in FINDINGS.items():
        if said.level in _SIGNS:
            text, advice = (one.replace("|", "\\|") for one in (said.text, said.advice))
            rows.append(f"| {key.partition('.')[0]} | {_SIGNS[said.level]} | {text} | {advice} |")
    return "\n".join(rows)


def main() -> None:
    page = PAGE.read_text("utf-8")
    PAGE.write_text(_BETWEEN.sub(lambda found: found[1] + "\n" + table() + "\n" + found[2], page), "utf-8")


if __name__ == "__main__":
    main()
