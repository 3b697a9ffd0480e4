"""`scanlatch flash`: from a board out of its bag to one that runs MicroPython with our partition table."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scanlatch_tools.errors import ToolError
from scanlatch_tools.talk import Machine, People
from scanlatch_tools.texts import N_, _

_BAUD = 460_800
_KEPT = {"nvs": N_("keys"), "vfs": N_("files"), "scanlog": N_("journal")}


def app(
    board: Annotated[str | None, typer.Option(help="Its board file; without it those that fit are proposed.")] = None,
    port: Annotated[str | None, typer.Option(help="Where it is plugged in; without it the one that is found.")] = None,
    image: Annotated[
        Path | None, typer.Option(help="MicroPython's .bin; without it the newest that was added for this board.")
    ] = None,
    baud: Annotated[int, typer.Option(help="Speed of the cable, bit/s.")] = _BAUD,
    stub: Annotated[bool, typer.Option(help="Load esptool's stub into the chip: faster.")] = True,
    read_all: Annotated[bool, typer.Option(help="Read every byte back, besides the loader's MD5.")] = False,
    erase_journal: Annotated[
        str | None, typer.Option(help="Give up records that were not sent: the sentence that the refusal tells.")
    ] = None,
    site: Annotated[
        Path | None, typer.Option(help="A site's folder: records that its ledger has need no rescue.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it to a program: one JSON line an event.")] = False,
) -> None:
    """Write MicroPython and our partition table into a board, and verify it."""
    from scanlatch_tools.flash.work import Wish, flash  # brings esptool along

    talk = Machine() if as_json else People(_text)
    try:
        flash(Wish(port, board, image, stub, baud, read_all, erase_journal, site), talk)
    except ToolError as error:
        talk.quiet()
        if not as_json:
            raise
        talk.event("error", status=error.status, text=str(error))
        raise typer.Exit(error.status) from error


def _text(name: str, facts: dict[str, Any]) -> str | None:
    """An event as a person reads it."""
    if name == "chip":
        return _("{text}, {flash_mb} MiB of flash, {mac}").format(
            text=facts["text"], flash_mb=facts["flash_mb"], mac=facts["mac"]
        )
    if name == "board":
        return _("board: {board} ({title})").format(board=facts["board"], title=facts["title"])
    if name == "image":
        listed = "" if facts["listed"] else _(", not in the list of known images")
        return _("image: MicroPython {version} of {date}{listed}").format(
            version=facts["version"], date=facts["date"], listed=listed
        )
    if name == "journal" and facts["sectors"] and not facts["unsent"]:
        return _("journal: nothing in it that the bridge does not have")
    if name == "plan" and facts["keeps"]:
        return _("kept: {keeps}").format(keeps=_(", ").join(_(_KEPT[label]) for label in facts["keeps"]))
    if name == "written":
        part = facts["area"].removeprefix("blank ")
        done = _("written") if part == facts["area"] else _("blanked")
        return _("{done}: {part}, {bytes:,} bytes at {at:#x}").format(
            done=done, part=part, bytes=facts["bytes"], at=facts["at"]
        )
    if name == "verified":
        return _("verified: {md5:,} bytes by their MD5s, {read_back:,} read back").format(
            md5=facts["md5"], read_back=facts["read_back"]
        )
    if name == "done":
        told = _("flashed {board} in {seconds} s").format(board=facts["board"], seconds=facts["seconds"])
        return (
            told
            if facts["reset"]
            else _("{told}: this port can't reset it, so take its power off and put it back").format(told=told)
        )
    if name == "port":
        return _("port: {port}").format(port=facts["port"])
    return _("the journal is given up") if name == "erased" else None
