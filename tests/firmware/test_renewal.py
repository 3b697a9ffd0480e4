"""A terminal restarts by itself in a quiet moment before its clock outgrows small integers, on real MicroPython."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("renewal_cases.py"))
def test_renewal(name: str) -> None:
    device.check("renewal_cases.py", name)
