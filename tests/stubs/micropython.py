"""What CPython lacks of MicroPython, so that the pure parts of the firmware run on both."""

from typing import TypeVar

_Value = TypeVar("_Value")


def const(value: _Value) -> _Value:
    """Compile-time constant on MicroPython; the value itself here."""
    return value
