"""A start that fails is tried again slowly, on real MicroPython."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("start_cases.py"))
def test_start(name: str) -> None:
    device.check("start_cases.py", name)
