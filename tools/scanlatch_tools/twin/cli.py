"""`scanlatch twin`: one terminal without the hardware, run by hand."""

import json
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from scanlatch_tools.boards import Board
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import N_, _
from scanlatch_tools.twin.chip import made_image
from scanlatch_tools.twin.chip.bare import FLASH_MB, BareBoard
from scanlatch_tools.twin.chip.models import MODELS
from scanlatch_tools.twin.device import Twin, twin_board
from scanlatch_tools.twin.engines import NAMES, Family, Simulator, simulator
from scanlatch_tools.twin.trace import POLL_S, Line

_HELP = N_(
    "Type a code, or the path of a picture with barcodes, and Enter. Or:\n"
    "  :button       press the button        :link off|on   cut the network, mend it\n"
    "  :power        cut the power, put it back      :engine off|on   pull the scan engine's plug, put it back\n"
    "  :quit         (or Ctrl-D)"
)
_CABLE_HELP = N_("  :cable out|in  pull the cable, and the power with it; put it in again")
_BUTTON_S = 0.3


def app(
    folder: Annotated[Path, typer.Argument(help="What survives a power cut; made where it is missing.")] = Path("twin"),
    site: Annotated[Path | None, typer.Option(help="Enrol it first, into the site in this folder.")] = None,
    device: Annotated[str, typer.Option(help="Its id, where it is enrolled.")] = "twin-1",
    at: Annotated[str | None, typer.Option(help="Which of the folder's sites; its first by default.")] = None,
    operation: Annotated[str, typer.Option(help="What it does, where it is enrolled.")] = "sale",
    engine: Annotated[
        Family | None, typer.Option(help="Family of its scan engine; default: for which it was enrolled, or grow.")
    ] = None,
    detect: Annotated[bool, typer.Option(help="It has to find out which family, where it is enrolled.")] = False,
    bare: Annotated[
        bool, typer.Option("--bare", help="A board out of its bag: its port is there to be flashed.")
    ] = False,
    chip: Annotated[str, typer.Option(help="A bare board's: esp32, esp32s3 or esp32c3.")] = "esp32",
    flash_mb: Annotated[int, typer.Option(help="A bare board's flash: 4, 8 or 16 MiB.")] = 4,
) -> None:
    """Run a terminal without the hardware: type codes, see its light and hear its tone as lines."""
    console = Console(highlight=False, soft_wrap=True)
    enrolled = _enrolled_for(folder)
    if bare:
        with _bare(folder, chip, flash_mb, simulator(engine or Family.GROW), console) as board:
            _run(board, console, f"{_(_HELP)}\n{_(_CABLE_HELP)}")
        return
    if site is None and enrolled is None:
        raise ToolError(
            _("the terminal in {folder} belongs to no site yet: give it one with --site FOLDER").format(folder=folder)
        )
    if site is None and engine is not None and enrolled not in (engine, "auto"):
        raise ToolError(
            _("the terminal in {folder} was enrolled for {enrolled}: enrol it again with --site FOLDER").format(
                folder=folder, enrolled=enrolled
            )
        )
    scanner = simulator(engine or (enrolled if enrolled in NAMES else Family.GROW))
    with Twin(folder, simulator=scanner) as twin:
        if site is not None:
            _enrol(twin, site, device, at, operation, twin_board(scanner, detect=detect), console)
        _run(twin, console, _(_HELP))


def _run(twin: Twin, console: Console, help_text: str) -> None:
    twin.start()
    ended = threading.Event()
    show = threading.Thread(target=_show, args=(twin, console, ended), daemon=True)
    show.start()
    console.print(help_text, style="dim")
    try:
        for line in sys.stdin:
            if not _act(twin, line.strip(), console):
                break
    except KeyboardInterrupt:
        pass  # the ordinary way to leave
    finally:
        ended.set()
        show.join()


def _bare(folder: Path, chip: str, flash_mb: int, scanner: Simulator, console: Console) -> BareBoard:
    if chip not in MODELS or flash_mb not in FLASH_MB:
        raise ToolError(
            _("--chip is one of {models}, --flash-mb one of {sizes}").format(
                models=", ".join(MODELS), sizes=", ".join(map(str, FLASH_MB))
            )
        )
    board = BareBoard(folder, chip=chip, flash_mb=flash_mb, simulator=scanner)
    made = board.folder / "stand-in.bin"
    made.write_bytes(made_image.image(chip))
    console.print(
        _("port: {port}\nan image that only this board takes: {made}").format(port=board.port, made=made), markup=False
    )
    return board


def _enrolled_for(folder: Path) -> str | None:
    """The family of scan engines, or "auto", of a terminal that has its settings."""
    try:
        text = (folder / "files" / "settings.json").read_bytes()
    except FileNotFoundError:
        return None
    settings, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))  # a checksum stands behind it
    return settings["board"]["engine"]["kind"]


def _enrol(twin: Twin, site: Path, device: str, at: str | None, operation: str, board: Board, console: Console) -> None:
    from scanlatch_tools import enrol  # brings the bridge's registry along, which most runs don't need
    from scanlatch_tools import site as sites

    chosen = at or next(iter(sites.load(site).sites))
    enrol.enrol(
        site,
        twin,
        device,
        chosen,
        board,
        operation=operation,
        wifi=("twin", "twin"),
        tell=console.print,
    )


def _act(twin: Twin, line: str, console: Console) -> bool:
    """Do what a person typed; whether to go on."""
    word, _blank, rest = line.partition(" ")
    try:
        if word in (":quit", ":q"):
            return False
        if word == ":button":
            twin.button(True)
            threading.Timer(_BUTTON_S, twin.button, [False]).start()
        elif word == ":link":
            twin.link(rest.strip() != "off")
        elif word == ":engine":
            twin.engine.plug(rest.strip() != "off")
        elif word == ":power":
            twin.kill()
            twin.start()
        elif word == ":cable" and isinstance(twin, BareBoard):
            if rest.strip() == "out":
                twin.pull_cable()
            else:
                twin.put_cable_in()
        elif line.startswith(":"):
            console.print(_(_HELP), style="dim")
        elif line and _is_file(line):
            twin.scan_picture(Path(line))
        elif line:
            twin.scan(line)
    except ToolError as error:
        console.print(str(error), style="red")
    return True


def _is_file(line: str) -> bool:
    try:
        return Path(line).is_file()
    except OSError:  # no name that the system takes: it is a code, and a long one
        return False


def _show(twin: Twin, console: Console, ended: threading.Event) -> None:
    at = twin.mark()
    fallen = False
    while not ended.wait(10 * POLL_S):
        for line in twin.trace(at):
            at = line["n"] + 1
            text = _text(line)
            if text is not None:
                console.print(text)
        if twin.status is not None and not fallen:
            console.print(
                _("the terminal's program ended with status {status}:\n{console}").format(
                    status=twin.status, console=twin.console()[-800:]
                ),
                style="red",
            )
        fallen = twin.status is not None


def _text(line: Line) -> Text | None:
    """What a person at the terminal would notice of this line."""
    what = line["what"]
    if what == "light":
        red, green, blue = line["rgb"]
        if not (red or green or blue):
            return Text("    light off", style="dim")
        return Text.assemble(("    ", f"on rgb({red},{green},{blue})"), f" light {red},{green},{blue}")
    if what == "tone" and line["hz"]:
        return Text(f"  ♪ {line['hz']} Hz")
    if what == "beep":
        return Text("  ♪ the engine's beep")
    if what in ("power", "reset", "net", "nor_violation") or line.get("event") == "bite":
        return Text(
            f"  {what} " + " ".join(str(line[key]) for key in ("event", "cause", "rule") if key in line), "cyan"
        )
    return None
