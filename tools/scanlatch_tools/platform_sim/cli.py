"""`scanlatch platform`: runs the platform's stand-in, and turns its knobs."""

import json
import signal
import threading
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich import print as show

from scanlatch_tools.errors import ToolError
from scanlatch_tools.platform_sim.book import CodeError
from scanlatch_tools.platform_sim.knobs import KnobError, Knobs
from scanlatch_tools.platform_sim.server import PlatformSim
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

app = typer.Typer(help="A stand-in for the insurance platform (never the real one).", no_args_is_help=True)


@app.command("run")
def run_command(
    port: Annotated[int, typer.Option(help="Port of the interface.")] = 8810,
    admin_port: Annotated[int, typer.Option(help="Port of the knobs, on 127.0.0.1.")] = 8811,
    database: Annotated[Path, typer.Option(help="Its SQLite file.")] = Path("platform.sqlite"),
    host: Annotated[str, typer.Option(help="Address of the interface.")] = "127.0.0.1",
    codes: Annotated[Path | None, typer.Option(help="Codes it knows: one a line, or a JSON list.")] = None,
    knob: Annotated[list[str] | None, typer.Option(help="A knob's position, as name=value.")] = None,
) -> None:
    """Run until interrupted."""
    try:
        platform = PlatformSim(
            database, port=port, admin_port=admin_port, host=host, knobs=Knobs().turned(_positions(knob or []))
        )
        if codes:
            show(f"{platform.book.load(_codes(codes))} codes loaded")
        platform.start()
    except (KnobError, CodeError) as error:
        raise ToolError(str(error)) from error
    except OSError as error:
        raise ToolError(
            _("can't listen on port {port} or {admin_port}: {error}").format(
                port=port, admin_port=admin_port, error=why(error)
            )
        ) from error
    print(f"platform {platform.url} knobs {platform.admin_url}", flush=True)
    over = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        over.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    over.wait()
    platform.stop()


@app.command("knobs")
def knobs_command(
    knob: Annotated[list[str] | None, typer.Argument(help="name=value; none shows all.")] = None,
    admin_port: Annotated[int, typer.Option(help="Port of the knobs.")] = 8811,
) -> None:
    """Show or turn the knobs of a running stand-in."""
    url = f"http://127.0.0.1:{admin_port}/knobs"
    try:
        answer = httpx.post(url, json=_positions(knob)) if knob else httpx.get(url)
        told = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ToolError(
            _("no stand-in answers on port {admin_port}: start it with: scanlatch platform run").format(
                admin_port=admin_port
            )
        ) from error
    if answer.status_code != 200:
        raise ToolError(told["error"])
    show(told)


def _positions(knobs: list[str]) -> dict[str, Any]:
    """name=value pairs; a value is JSON, or else text."""
    found: dict[str, Any] = {}
    for pair in knobs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ToolError(_("{pair!r}: write name=value").format(pair=pair))
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
        if name == "outage":
            found[name] = value
    return found


def _codes(path: Path) -> list[Any]:
    try:
        text = path.read_text()
    except OSError as error:
        raise ToolError(_("{path} can't be read: {error}").format(path=path, error=why(error))) from error
    if text.lstrip().startswith("["):
        try:
            loaded: list[Any] = json.loads(text)
            return loaded
        except ValueError as error:
            raise ToolError(_("{path} is no JSON: {error}").format(path=path, error=why(error))) from error
    return [line.strip() for line in text.splitlines() if line.strip()]
