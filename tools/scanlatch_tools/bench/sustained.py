"""How many sales a second broker, bridge and ledger carry, for as long as is asked; and that nothing is left behind."""

from pathlib import Path

from scanlatch_tools.bench import run
from scanlatch_tools.bench.figures import Report
from scanlatch_tools.bench.ledgers import SQLITE, Database
from scanlatch_tools.bench.run import Plan
from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _


def measure(folder: Path, report: Report, terminals: int, seconds: float) -> None:
    """Sell for about `seconds`, then wait for the outbox."""
    found = run.run(folder, Database(SQLITE), Plan(terminals, seconds), report)
    if not found.whole:
        raise ToolError(
            _("of {sold} sales {accepted} are accepted and {settled} settled").format(
                sold=found.sold, accepted=found.accepted, settled=found.settled
            )
        )
