"""The ledger: the only code that speaks SQL."""

from sqlalchemy import Connection

from host_bridge.ledger.open import Ledger, open_ledger

__all__ = ["Connection", "Ledger", "open_ledger"]
