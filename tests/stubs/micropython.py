"""What CPython lacks of MicroPython, so that the pure parts of the firmware run on both."""


def const(value: int) -> int:
    """Compile-time constant on MicroPython; the value itself here."""
    return value
