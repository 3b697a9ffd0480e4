"""What control codes do to a terminal, and how long it holds, on real MicroPython."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("mode_cases.py"))
def test_modes(name: str) -> None:
    device.check("mode_cases.py", name)
