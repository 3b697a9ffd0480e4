"""Updates of the device's package, on real MicroPython and the real LittleFS."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("update_cases.py"))
def test_update(name: str) -> None:
    device.check("update_cases.py", name, "64M")
