"""The life of one scan on real MicroPython, where it can't be kept."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("scan_cases.py"))
def test_scan(name: str) -> None:
    device.check("scan_cases.py", name)
