"""Why a board could not be reached, or what it answered, each with the exit status of the command."""

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

_SAID_MOST = 200  # characters of a board's odd words


class NoAnswerError(ToolError):
    """No port, or no MicroPython that answers at it."""

    status = 3


class NonsenseError(NoAnswerError):
    """What answers at a port answers as no board of ours does. said: its words."""

    def __init__(self, port: str, said: str) -> None:
        super().__init__(
            _("the board at {port} says what can't be understood: {said!r}").format(port=port, said=said[-_SAID_MOST:])
        )


class CableLostError(ToolError):
    """The connection was lost on the way; the same command again mends it."""

    status = 6


class DeviceError(ToolError):
    """What was run on the board raised; the message ends with its traceback. last: the traceback's last line."""

    def __init__(self, traceback: str) -> None:
        traceback = "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in traceback)  # for a screen
        self.last = traceback.strip().rpartition("\n")[2]
        super().__init__(f"the board says:\n{traceback.strip()}")
