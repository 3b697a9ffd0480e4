"""What a terminal does in a long outage, by its site's policy, on real MicroPython."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("outage_cases.py"))
def test_outage(name: str) -> None:
    device.check("outage_cases.py", name)
