"""What happens while a board becomes a terminal, as a person reads it."""

from typing import Any

from rich.cells import cell_len
from rich.text import Text

from scanlatch_tools.texts import _

_SIGNS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "dim")}
_WIDE = 9  # columns
_BRIEF = ("row", "report", "next")


def brief(name: str, facts: dict[str, Any]) -> Text | None:
    """A line a board only, for a batch."""
    return text(name, facts) if name in _BRIEF else None


def text(name: str, facts: dict[str, Any]) -> Text | None:
    """An event as a person reads it."""
    if name == "check":
        sign, style = _SIGNS[facts["ok"]]
        return Text.assemble((f"  {sign} ", style), _padded(_(facts["what"])) + facts["text"])
    if name == "row":
        sign, style = _SIGNS[facts["ok"]]
        return Text.assemble(
            (f"{sign} ", style), f"{facts['device'] or facts['port']}  {facts['seconds']} s  ", facts["text"]
        )
    if name == "board":
        again = _(", again") if facts["before"] else ""
        return Text(
            _("{device} for {site}{again}: {board} at {port}").format(
                device=facts["device"],
                site=facts["site"] or _("a site elsewhere"),
                again=again,
                board=facts["board"],
                port=facts["port"],
            )
        )
    if name == "leaves":
        return Text(
            _(
                "{device} leaves {site!r}: there `scanlatch fleet revoke {device}` ends what that bridge takes of it"
            ).format(device=facts["device"], site=facts["site"])
        )
    if name == "step":
        return Text.assemble(("  ✓ ", "green"), _step(facts), (f"  {facts['seconds']} s", "dim"))
    if name == "done":
        return Text(
            _("{device} is ready after {seconds} s; print its label: {label}").format(
                device=facts["device"], seconds=facts["seconds"], label=facts["label"]
            )
        )
    if name == "requested":
        return Text(
            _(
                "{device} has its keys after {seconds} s and asks with {request}. Where the site's CA is:\n"
                "scanlatch site sign FOLDER {request} ANSWER. Then go on here with --answer ANSWER"
            ).format(device=facts["device"], seconds=facts["seconds"], request=facts["request"])
        )
    return Text(str(facts["text"])) if name in ("report", "next") else None


def _padded(word: str) -> str:
    """A word with spaces behind it up to a column: characters of Chinese are two wide."""
    return word + " " * max(1, _WIDE - cell_len(word))


def _step(facts: dict[str, Any]) -> str:
    if facts["step"] == "firmware":
        removed = _(", {removed} removed").format(removed=facts["removed"]) if facts["removed"] else ""
        return _("its files: {written} written, {kept} were there{removed}").format(
            written=facts["written"], kept=facts["kept"], removed=removed
        )
    if facts["step"] == "label":
        return _("its label is drawn")
    return str(facts.get("text") or _("self-test passed"))
