"""What every test may ask for."""

import os

from tests.postgres import database, emptied_database, postgres, shared_ledger

__all__ = ["database", "emptied_database", "postgres", "shared_ledger"]

os.environ["LANGUAGE"] = "en"  # what a test reads is English, whoever runs it
