"""The ledger: the only code that speaks SQL."""

from host_bridge.ledger.open import Ledger, open_ledger

__all__ = ["Ledger", "open_ledger"]
