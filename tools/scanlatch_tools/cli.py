"""The `scanlatch` command: finds the part that is asked for, and loads only that."""

import importlib
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, Never

import typer

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _, speak, told
from scanlatch_tools.texts.commands import translated
from scanlatch_tools.texts.foreign import native


class _Part(NamedTuple):
    module: str
    help: str


_TyperError: Any = typer.BadParameter.__mro__[2]  # of all that typer finds wrong with a command line

_INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it

PARTS = {
    "site": _Part("scanlatch_tools.site_cli", "Make a site: CA, certificates, broker, bridge and ledger."),
    "bridge": _Part("host_bridge.cli", "Run the bridge and keep its registry."),
    "fleet": _Part("scanlatch_tools.fleet.cli", "The terminals of a site: see them, shut one out, retire one."),
    "audit": _Part("scanlatch_tools.evidence.cli", "Hold a ledger against itself, and take evidence out of it."),
    "board": _Part("scanlatch_tools.boards.cli", "How each board is wired: check, list, make and draw its file."),
    "flash": _Part("scanlatch_tools.flash.cli", "Write MicroPython and our partition table into a board."),
    "image": _Part("scanlatch_tools.flash.image_cli", "MicroPython's images: list and add."),
    "provision": _Part("scanlatch_tools.provision.cli", "Make a board a terminal of a site: firmware, keys, settings."),
    "rescue": _Part("scanlatch_tools.rescue.cli", "Save a terminal's unsent records over its cable."),
    "doctor": _Part("scanlatch_tools.doctor.cli", "Say what is wrong with a terminal, and what to do about it."),
    "monitor": _Part("scanlatch_tools.monitor.cli", "Watch a terminal at work, line by line."),
    "calibrate": _Part("scanlatch_tools.calibrate.cli", "Find out what is wrong with a scan engine's settings."),
    "update": _Part("scanlatch_tools.update.cli", "Bring new firmware to terminals."),
    "twin": _Part("scanlatch_tools.twin.cli", "A terminal without the hardware."),
    "platform": _Part("scanlatch_tools.platform_sim.cli", "A stand-in for the insurance platform."),
    "labels": _Part("scanlatch_tools.labels.cli", "Control sheets, device labels, the calibration sheet."),
    "demo": _Part("scanlatch_tools.demo.cli", "The main job, end to end, on this machine."),
    "bench": _Part("scanlatch_tools.bench.cli", "Measure what is promised."),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `scanlatch` with `arguments` (default: those of this process) and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    wanted = next((word for word in given if not word.startswith("-")), None)
    speak()
    as_json = "--json" in given
    try:
        status = translated(typer.main.get_command(app(wanted)))(given, prog_name="scanlatch", standalone_mode=False)
        if status == _INTERRUPTED:
            _tell_interrupted()
        sys.exit(status if isinstance(status, int) else 0)
    except KeyboardInterrupt:  # before typer began
        _tell_interrupted()
    except _TyperError as error:
        _tell_usage(error, as_json)
    except typer.Abort:
        print(_("Aborted."), file=sys.stderr)
        sys.exit(1)
    except (ToolError, OSError) as error:
        _tell(error, as_json)
    except Exception as error:
        if not _is_of_the_bridge(error):
            raise
        _tell(error, as_json)


def app(wanted: str | None) -> typer.Typer:
    """The command with one part mounted; of the others it has a line in the help."""
    made = typer.Typer(
        help="A scan terminal for drug trace codes, and what runs it.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    made.callback(invoke_without_command=True)(_options)
    for name, part in PARTS.items():
        if name == wanted:
            _mount(made, name, part)
        else:  # its line in the help, without half a second of imports
            made.command(name, help=part.help)(_stand_in)
    return made


def _options(
    version: Annotated[bool, typer.Option("--version", help="Say which version this is.", is_eager=True)] = False,
) -> None:
    if version:
        import importlib.metadata  # half as long to load as all the rest of this file

        print(f"scanlatch {importlib.metadata.version('scanlatch')}")
        raise typer.Exit


def _mount(app: typer.Typer, name: str, part: _Part) -> None:
    try:
        module = importlib.import_module(part.module)
    except ModuleNotFoundError as error:
        if error.name is None or not part.module.startswith(error.name):
            raise  # the part is there, but something that it needs is not
        raise ToolError(_("this installation has no {name!r}").format(name=name)) from None
    found: Any = module.app
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name, help=part.help)
    else:  # a plain function is a command without commands below it
        app.command(name, help=part.help)(found)


def _stand_in() -> None:
    """Never runs: the part that is asked for is mounted in its place."""


def _is_of_the_bridge(error: Exception) -> bool:
    errors = sys.modules.get("host_bridge.errors")
    return errors is not None and isinstance(error, errors.BridgeError)


def _tell_interrupted() -> None:
    print(_("broken off; the same command can be given again"), file=sys.stderr)
    sys.exit(_INTERRUPTED)


def _tell_usage(error: Any, as_json: bool) -> None:
    """What is wrong with the command line, as typer shows it, in the reader's language."""
    from typer import rich_utils

    message = native(error.format_message())
    if as_json:
        _tell_json(message, error.exit_code)
    error.format_message = lambda: message
    rich_utils.rich_format_error(error)
    sys.exit(error.exit_code)


def _tell(error: Exception, as_json: bool) -> None:
    status = error.status if isinstance(error, ToolError) else 1
    text = told(error)
    if isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {text}"
    if as_json:
        _tell_json(text, status)
    print(f"scanlatch: {text}", file=sys.stderr)
    sys.exit(status)


def _tell_json(text: str, status: int) -> Never:
    import json

    print(json.dumps({"event": "error", "status": status, "text": text}, ensure_ascii=False))
    sys.exit(status)


if __name__ == "__main__":
    main()
