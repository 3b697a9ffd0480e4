"""Reaches a board's MicroPython through its cable: run code, put and get files, listen, restart."""

from scanlatch_tools.cable.cable import Cable, connected
from scanlatch_tools.cable.errors import CableLostError, DeviceError, NoAnswerError, NonsenseError

__all__ = ["Cable", "CableLostError", "DeviceError", "NoAnswerError", "NonsenseError", "connected"]
