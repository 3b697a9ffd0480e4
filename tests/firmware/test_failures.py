"""What can't be loaded, allocated or joined is told as what it is, on real MicroPython."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("failure_cases.py"))
def test_failures(name: str) -> None:
    device.check("failure_cases.py", name)
