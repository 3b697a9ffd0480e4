"""Which record leaves next: in order, again where no receipt came, never in the way of a live scan."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("resend_cases.py"))
def test_resend(name: str) -> None:
    device.check("resend_cases.py", name)


@pytest.mark.parametrize("name", device.names("resend_pace_cases.py"))
def test_pace(name: str) -> None:
    device.check("resend_pace_cases.py", name)
