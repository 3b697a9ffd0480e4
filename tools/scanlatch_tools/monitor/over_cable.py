"""Listens to a terminal's console over its cable; the terminal notices nothing of it."""

import json
import time
from collections.abc import Callable
from typing import Any

from scanlatch_tools.cable import Cable, CableLostError, NoAnswerError

_AGAIN_S = 0.1
_LISTEN_S = 3600.0

Tell = Callable[..., None]  # (name of the event, **facts)


def listen(port: str, tell: Tell) -> None:
    """Tell each line, until Ctrl-C. A cable that is pulled is told of, and waited for without end.

    tell: gets "log" with the terminal's event as `told`, "line" with what is none as `text`, "cable" with `there`.

    Raises:
        NoAnswerError: the port can't be opened at the beginning.
    """
    cable = Cable(port, waits=False)
    tell("cable", there=True)
    while True:
        try:
            for line in cable.lines(_LISTEN_S):
                _tell(line, tell)
        except CableLostError:
            tell("cable", there=False)
            cable = _back(port)
            tell("cable", there=True)
        except KeyboardInterrupt:
            cable.close()
            raise


def _back(port: str) -> Cable:
    while True:
        try:
            return Cable(port, waits=False)
        except NoAnswerError:
            time.sleep(_AGAIN_S)


def _tell(line: str, tell: Tell) -> None:
    told: Any = None
    if line.startswith("{"):
        try:
            told = json.loads(line)
        except ValueError:
            told = None
    if isinstance(told, dict) and "event" in told:
        tell("log", told=told)
    elif line:
        tell("line", text=line)
