"""A person's credential on its way: encrypted, live, once, and nothing of it stays, on real MicroPython."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("credential_cases.py"))
def test_credential(name: str) -> None:
    device.check("credential_cases.py", name)
