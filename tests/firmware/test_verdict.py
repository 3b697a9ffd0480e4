"""What comes back from the bridge, and what the terminal shows for it, on real MicroPython."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("verdict_cases.py"))
def test_verdict(name: str) -> None:
    device.check("verdict_cases.py", name)
