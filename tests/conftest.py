"""What every test may ask for."""

from tests.postgres import database, emptied_database, postgres, shared_ledger

__all__ = ["database", "emptied_database", "postgres", "shared_ledger"]
