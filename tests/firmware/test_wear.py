"""What health tells of the flash's wear is what the flash saw, on real MicroPython."""

import pytest

from tests import device

_HEAP = "8M"


@pytest.mark.parametrize("name", device.names("wear_cases.py"))
def test_wear(name: str) -> None:
    device.check("wear_cases.py", name, heap=_HEAP)
