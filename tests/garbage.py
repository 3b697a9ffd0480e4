"""No search for garbage while pytest loads the tests, nor ever in what it loaded: it stays to the end."""

import gc

import pytest

gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """From here on what is no longer used is found again."""
    gc.freeze()
    gc.enable()
