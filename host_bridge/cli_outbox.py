"""`scanlatch bridge outbox`: what the platform has not answered, kept back or put in again by hand."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from host_bridge.clock import SystemClock
from host_bridge.config import load
from host_bridge.errors import BridgeError
from host_bridge.ledger import Ledger, open_existing
from host_bridge.settlement import by_hand
from host_bridge.settlement.by_hand import Entry
from host_bridge.settlement.outbox import ROUND_S
from host_bridge.texts import N_, _, told

app = typer.Typer(help="Submissions to the platform that have no answer yet.", no_args_is_help=True)

_Settings = Annotated[Path, typer.Option("--config", help="bridge.toml of the site")]
_Keys = Annotated[list[str], typer.Argument(help="<device>/<seq>, as `list` shows it")]
_LIST_LIMIT = 10_000
_NEXT = N_("{key}: goes out with a running bridge's next round, within {seconds:.0f} s")
_AWAITS = N_("{key}: waits for the answer to {awaited}")


@app.command(name="list")
def list_command(
    config: _Settings,
    stuck: Annotated[bool, typer.Option("--stuck", help="only what fails time and again, or is held by hand")] = False,
    limit: Annotated[int, typer.Option(min=1, max=_LIST_LIMIT, help="most rows, the oldest first")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """What waits for the platform, oldest first: state, attempts, age, and why."""
    with _ledger(config, as_json) as ledger:
        count, found = by_hand.listed(ledger, SystemClock().now(), limit, only_stuck=stuck)
    if as_json:
        typer.echo(json.dumps({"open": count, "rows": [_as_dict(one) for one in found]}, ensure_ascii=False))
        return
    whole = [Column(name, no_wrap=True) for name in (_("key"), _("what"))]
    table = Table(*whole, Column(_("code"), overflow="fold"), _("state"), _("tries"), _("age"), _("why"))
    for one in found:
        row = one.row
        state = _("{state}, stuck").format(state=row.state) if one.stuck else row.state
        code, why = _shown(row.code), _shown(_why(one))
        table.add_row(row.key, row.kind, code, state, str(row.attempts), _age(one.age_s), why)
    Console().print(table)
    typer.echo(_("{count} without an answer, {shown} shown").format(count=count, shown=len(found)))


@app.command()
def hold(
    keys: _Keys,
    config: _Settings,
    reason: Annotated[str, typer.Option(help="why; kept with the row")],
) -> None:
    """Keep submissions out of the queue until `retry`. What follows for the same code waits too."""
    with _ledger(config) as ledger:
        by_hand.hold(ledger, keys, reason)
    typer.echo(_("held: {keys}").format(keys=", ".join(keys)))


@app.command()
def retry(keys: _Keys, config: _Settings) -> None:
    """Put submissions first in the queue; what the platform may have taken is asked about before it is sent."""
    with _ledger(config) as ledger:
        after = by_hand.retry(ledger, keys)
    for key in dict.fromkeys(keys):
        typer.echo(_(_AWAITS if key in after else _NEXT).format(key=key, awaited=after.get(key), seconds=ROUND_S))


@contextmanager
def _ledger(config: Path, as_json: bool = False) -> Generator[Ledger]:
    """The site's ledger; our own errors are for people: their sentence, no traceback."""
    try:
        settings = load(config)
        ledger = open_existing(settings.ledger.url, settings.ledger.busy_timeout_ms)
        try:
            yield ledger
        finally:
            ledger.close()
    except BridgeError as error:
        if as_json:
            said = {"event": "error", "status": 1, "text": told(error)}
            typer.echo(json.dumps(said, ensure_ascii=False))
        else:
            typer.secho(told(error), err=True, fg=typer.colors.RED)
        raise typer.Exit(1) from error


def _as_dict(one: Entry) -> dict[str, Any]:
    row = one.row
    return {
        "key": row.key,
        "kind": row.kind,
        "code": row.code,
        "site": row.site,
        "device": row.device,
        "seq": row.seq,
        "session": row.session,
        "payer": row.payer,
        "split": row.split,
        "reverses": row.reverses,
        "after": one.after,
        "state": row.state,
        "attempts": row.attempts,
        "stuck": one.stuck,
        "age_s": one.age_s,
        "made_at": row.made_at,
        "next_at": row.next_at,
        "sent_by": row.claimed_by if row.state == "sending" else None,
        "trouble": row.trouble,
        "detail": row.detail,
    }


def _why(one: Entry) -> str:
    row = one.row
    why = row.detail or (_("reason {number}").format(number=row.trouble) if row.trouble else "")
    return "; ".join(
        part for part in (one.after and _("waits for the answer to {key}").format(key=one.after), why) if part
    )


def _shown(text: str) -> str:
    """Codes and texts come from outside: nothing of them may steer the terminal."""
    return escape("".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text))


def _age(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    if hours:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=rest // 60)
    return _("{minutes} min {seconds} s").format(minutes=rest // 60, seconds=rest % 60)
