"""Why a board was not provisioned, each with the exit status of `scanlatch provision`."""

from scanlatch_tools.errors import ToolError


class NotForThisError(ToolError):
    """The board's MicroPython, its partitions or its id don't fit; nothing was written."""

    status = 4


class UnsentHereError(ToolError):
    """The board holds records of the site that it would leave; nothing was written."""

    status = 5


class NotReadyError(ToolError):
    """The terminal has its keys, certificate and settings, but did not pass its self-test."""

    status = 7


class SomeFailedError(ToolError):
    """Not every board of a batch became a terminal; the report says which and why."""

    status = 8
