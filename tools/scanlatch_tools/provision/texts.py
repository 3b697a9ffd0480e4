"""What happens while a board becomes a terminal, as a person reads it."""

from typing import Any

from rich.text import Text

_SIGNS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "dim")}
_BRIEF = ("row", "report", "next")


def brief(name: str, facts: dict[str, Any]) -> Text | None:
    """A line a board only, for a batch."""
    return text(name, facts) if name in _BRIEF else None


def text(name: str, facts: dict[str, Any]) -> Text | None:
    """An event as a person reads it."""
    if name == "check":
        sign, style = _SIGNS[facts["ok"]]
        return Text.assemble((f"  {sign} ", style), f"{facts['what']:<9}{facts['text']}")
    if name == "row":
        sign, style = _SIGNS[facts["ok"]]
        return Text.assemble(
            (f"{sign} ", style), f"{facts['device'] or facts['port']}  {facts['seconds']} s  ", facts["text"]
        )
    if name == "board":
        again = ", again" if facts["before"] else ""
        return Text(f"{facts['device']} for {facts['site']}{again}: {facts['board']} at {facts['port']}")
    if name == "step":
        return Text.assemble(("  ✓ ", "green"), _step(facts), (f"  {facts['seconds']} s", "dim"))
    if name == "done":
        return Text(f"{facts['device']} is ready after {facts['seconds']} s; print its label: {facts['label']}")
    return Text(str(facts["text"])) if name in ("report", "next") else None


def _step(facts: dict[str, Any]) -> str:
    if facts["step"] == "firmware":
        removed = f", {facts['removed']} removed" if facts["removed"] else ""
        return f"its files: {facts['written']} written, {facts['kept']} were there{removed}"
    if facts["step"] == "label":
        return "its label is drawn"
    return str(facts.get("text") or f"{facts['step']} passed")
