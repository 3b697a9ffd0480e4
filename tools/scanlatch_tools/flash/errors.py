"""Why a board was not flashed, each with the exit status of `scanlatch flash`."""

from scanlatch_tools.errors import ToolError


class NoChipError(ToolError):
    """No port, or no chip that answers at it."""

    status = 3


class NoFitError(ToolError):
    """Chip, flash, board and image do not belong together; nothing was written."""

    status = 4


class UnsentError(ToolError):
    """The board's journal holds records that the bridge may not have; nothing was written."""

    status = 5


class BrokenOffError(ToolError):
    """The connection was lost on the way; the same command again mends it."""

    status = 6


class NotAsWrittenError(ToolError):
    """The flash does not hold what was written into it."""

    status = 7
