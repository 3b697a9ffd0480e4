"""What every test may ask for."""

import os

from tests.garbage import pytest_collection_finish
from tests.order import pytest_collection_modifyitems, pytest_configure, pytest_xdist_make_scheduler
from tests.postgres import database, emptied_database, postgres, shared_ledger

__all__ = [
    "database",
    "emptied_database",
    "postgres",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_xdist_make_scheduler",
    "shared_ledger",
]

os.environ["LANGUAGE"] = "en"  # what a test reads is English, whoever runs it
