"""Opens the ledger of a site that has one: a new one would know neither its terminals nor what was sold."""

from pathlib import Path

from host_bridge.ledger import Ledger, open_ledger
from scanlatch_tools.errors import ToolError
from scanlatch_tools.site_plan import SQLITE
from scanlatch_tools.texts import _

_BUSY_MS = 10_000  # as the bridge's own, where its settings say nothing


def opened(url: str, busy_timeout_ms: int = _BUSY_MS) -> Ledger:
    """The ledger at a SQLAlchemy URL.

    Raises:
        ToolError: its file is not there.
        BridgeError: it can't be used.
    """
    path = Path(url.removeprefix(SQLITE))
    if url.startswith(SQLITE) and not path.exists():
        raise ToolError(
            _(
                "the ledger {path} is not there: put the newest backup back with `scanlatch bridge restore`; a new one "
                "would know no terminal, and nothing that was sold"
            ).format(path=path)
        )
    return open_ledger(url, busy_timeout_ms)
