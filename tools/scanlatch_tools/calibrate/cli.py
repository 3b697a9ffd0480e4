"""`scanlatch calibrate`: which setting of a scan engine is wrong, by the calibration sheet."""

from typing import Annotated, Any

import typer
from rich.text import Text

from scanlatch_tools.calibrate import texts
from scanlatch_tools.errors import ToolError
from scanlatch_tools.labels.calibration import SYMBOLS
from scanlatch_tools.talk import Machine, People
from scanlatch_tools.texts import _, language

_WAIT_MOST_S = 3600
_NAMES = {symbol.english: symbol for symbol in SYMBOLS}


def app(
    port: Annotated[str | None, typer.Option(help="Where it is plugged in; without it the one that is found.")] = None,
    wait: Annotated[float, typer.Option(min=1, max=_WAIT_MOST_S, help="Seconds without a scan that end it.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it to a program: one JSON line an event.")] = False,
) -> None:
    """Scan the calibration sheet (`scanlatch labels calibration`): says which engine setting is wrong, and mends it."""
    from scanlatch_tools.calibrate import work
    from scanlatch_tools.flash import ports

    talk = Machine() if as_json else People(said)
    try:
        work.calibrate(ports.chosen(port, talk.ask), wait, talk.event)
    except ToolError as error:
        talk.quiet()
        if not as_json:
            raise
        talk.event("error", status=error.status, text=str(error))
        raise typer.Exit(error.status) from error


def said(name: str, facts: dict[str, Any]) -> Text | None:
    """An event as a person reads it."""
    if name == "begun":
        return Text(_("scan the {of} codes of the calibration sheet, in any order; Ctrl-C ends").format(**facts))
    if name == "engine":
        return Text.assemble(("✓ ", "green"), _("the scan engine answers: {text}").format(**facts))
    if name == "silent":
        return _wrong(_(texts.SILENT[0]).format(**facts), _(texts.SILENT[1]))
    if name == "setting":
        return _setting(facts)
    if name == "other":
        return Text.assemble(("- ", "dim"), _(texts.NOT_OURS))
    if name == "scan":
        return _scan(facts)
    if name == "missing":
        symbol = _NAMES[facts["symbol"]]
        chinese = _is_chinese()
        return _wrong(
            _("not read: {name}").format(name=_name(facts["symbol"])),
            symbol.chinese_setting if chinese else symbol.setting,
        )
    if name == "done" and not facts["left"]:
        return Text.assemble(("✓ ", "green"), _("all {of} codes are read as they must be").format(**facts))
    return None


def _setting(facts: dict[str, Any]) -> Text:
    name = _(texts.SETTINGS[facts["key"]])
    if not facts["done"]:
        advice = _("The engine has no such command: scan its manual's set-up code for this, or leave it")
        return _wrong(_("refused: {name}").format(name=name), advice)
    if facts["known"]:
        return Text.assemble(("! ", "yellow"), _("was wrong, and is mended: {name}").format(name=name))
    return Text.assemble(("- ", "dim"), _("set anew, as it can't be asked for: {name}").format(name=name))


def _scan(facts: dict[str, Any]) -> Text:
    name = _name(facts["symbol"])
    if not facts["wrong"]:
        return Text.assemble(("✓ ", "green"), _("{name}; {left} are left").format(name=name, left=facts["left"]))
    line = Text()
    for key in facts["wrong"]:
        text, advice = texts.WRONG[key]
        if key == "gs" and facts["family"] == "grow":
            advice = texts.GROW_GS
        line.append_text(_wrong(f"{name}: {_(text)}", _(advice)))
        line.append("\n" if key != facts["wrong"][-1] else "")
    return line


def _wrong(text: str, advice: str) -> Text:
    return Text.assemble(("✗ ", "red"), text, (f"\n  → {advice}", "bold"))


def _name(english: str) -> str:
    return _NAMES[english].chinese if _is_chinese() else english


def _is_chinese() -> bool:
    import os

    return language(os.environ) == "zh"
