"""Time on the terminal, on real MicroPython: epochs, steps, drift, wraps, far years, time servers."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("clock_cases.py"))
def test_clock(name: str) -> None:
    device.check("clock_cases.py", name)
