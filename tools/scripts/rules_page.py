"""Writes docs/rules.md from the decision tables that the bridge uses; --check only compares."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from host_bridge.rules import WORDS
from host_bridge.rules_tables import FIRST, REFUSED, TABLES, Effect, Row
from host_bridge.rules_texts import BESIDES, DECIDED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
_INTRO = """<!-- written by tools/scripts/rules_page.py from host_bridge/rules_tables.py, rules.py, rules_texts.py -->

# Rules: what the bridge decides, and why

For each record the table of its operation is tried from the top; the first row of which every word holds is the answer.
The words are explained [below](#the-words), the rules [after them](#the-rules). `host_bridge/rules.py` runs these very
tables; outcomes and reasons are those of `docs/wire.cddl`.

What a site may choose (`require_receipt`, `require_session`, `return_hours`, `offline_sales`, `sales_level`) stands in
`bridge.toml` under `[sites.<id>]`, see [operations.md](operations.md).

"""


def page() -> str:
    """The whole page."""
    return _INTRO + "\n".join(_lines())


def main() -> None:
    """Write the page, or with --check exit 1 where it is not what would be written."""
    if PAGE.is_file() and PAGE.read_text("utf-8") == page():
        return
    if "--check" in sys.argv[1:]:
        sys.exit("docs/rules.md is not what the bridge decides by: run tools/scripts/rules_page.py")
    PAGE.write_text(page(), "utf-8")


def _lines() -> Iterator[str]:
    yield "## The tables\n"
    yield "### Before every table\n"
    yield from _table(FIRST)
    for operation, rows in TABLES.items():
        yield f"### Table of {operation.name.lower().replace('_', '-')}\n"
        yield from _table(rows)
    yield "### Table of the platform's refusals\n"
    yield "A reason that is in no row is passed on as it is.\n"
    yield from _table(REFUSED)
    yield "## The words\n"
    yield "| word | it holds where |"
    yield "|---|---|"
    yield from (f"| {word} | {means} |" for word, (_, means) in WORDS.items())
    yield "\n## The rules\n"
    for rule, text in {**DECIDED, **BESIDES}.items():
        yield f"### {rule}\n\n{text}\n"


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| rule | when | outcome | reason | what follows | alert |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        anchor = "".join(one for one in row.rule.lower() if one.isalnum() or one in " -").replace(" ", "-")
        when = ", ".join(row.when) or "otherwise"
        outcome = row.outcome.name.lower().replace("_", " ")
        reason = f"{int(row.reason)} {row.reason.name.lower().replace('_', ' ')}" if row.reason else ""
        effect = "" if row.effect is Effect.NOTHING else row.effect.value
        alarm = f"`{row.alarm.name.lower().replace('_', '-')}`" if row.alarm else ""
        yield f"| [{row.rule}](#{anchor}) | {when} | {outcome} | {reason} | {effect} | {alarm} |"
    yield ""


if __name__ == "__main__":
    main()
