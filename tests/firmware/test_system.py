"""The box itself: clock, watchdog, settings, session and commands, on real MicroPython."""

import pytest

from tests import device


@pytest.mark.parametrize("name", device.names("system_cases.py"))
def test_system(name: str) -> None:
    device.check("system_cases.py", name)


@pytest.mark.parametrize("name", device.names("command_cases.py"))
def test_command(name: str) -> None:
    device.check("command_cases.py", name)


@pytest.mark.parametrize("name", device.names("bridge_key_cases.py"))
def test_bridge_key(name: str) -> None:
    device.check("bridge_key_cases.py", name)
