"""The ledger: the only code that speaks SQL."""

from sqlalchemy import Connection

# Its tables are the ledger's too.
from host_bridge.ledger import bridges, hints, rollouts, schema_books  # noqa: F401  # pyright: ignore[reportUnusedImport]
from host_bridge.ledger.open import Ledger, open_existing, open_ledger

__all__ = ["Connection", "Ledger", "open_existing", "open_ledger"]
