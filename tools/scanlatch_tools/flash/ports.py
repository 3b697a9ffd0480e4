"""Serial ports at which boards may be: found, opened, and asked whether they have reset lines."""

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import serial
from serial.tools import list_ports

from scanlatch_tools.errors import ToolError
from scanlatch_tools.flash.errors import NoChipError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

_NO_LINES = (errno.ENOTTY, errno.EINVAL)


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port as this machine names it, and what its USB plug says of itself."""

    name: str
    text: str


def found() -> list[Port]:
    """Ports that are on USB, as boards are."""
    ports: list[Any] = list(list_ports.comports())
    return [Port(port.device, port.description or _("no description")) for port in ports if port.vid is not None]


def chosen(name: str | None, ask: Callable[[str, Sequence[str]], str | None]) -> str:
    """The port to use: the one that was named, the only one there is, or the one that a person chooses.

    ask: gets a question and the names to choose from; gives the answer, or None where nobody can be asked.

    Raises:
        NoChipError: there is none.
        ToolError: there are several and nobody chose.
    """
    if name:
        return name
    ports = found()
    if not ports:
        raise NoChipError(_("no board is plugged in: use a cable that carries data, or name the port with --port"))
    if len(ports) == 1:
        return ports[0].name
    listed = "\n".join(f"  {port.name}  {port.text}" for port in ports)
    answer = ask(_("several ports:\n{listed}\nwhich").format(listed=listed), [port.name for port in ports])
    if answer is None:
        raise ToolError(_("several boards may be plugged in: name one with --port\n{listed}").format(listed=listed))
    return answer


def opened(name: str) -> Any:
    """The port, for us alone.

    Raises:
        NoChipError: it can't be opened; says what to do.
    """
    try:
        port = serial.serial_for_url(name, exclusive=True, do_not_open=True)
        if os.name == "nt":  # there opening alone could reset the board
            port.rts = port.dtr = False
        port.open()
    except (OSError, ValueError) as error:
        raise NoChipError(_why(name, error)) from error
    return port


def has_reset_lines(port: Any) -> bool:
    """Whether an open port can pull BOOT and RESET; a pseudo-terminal can't, nor can some adapters."""
    try:
        _ = port.cts
    except OSError as error:
        if error.errno in _NO_LINES:
            return False
        raise NoChipError(_why(str(port.port), error)) from error
    except NotImplementedError:
        return False
    return True


def _there() -> str:
    return ", ".join(port.name for port in found()) or _("none")


def _why(name: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO):
        return _("{name} is not there: is the board plugged in? Ports that are: {ports}").format(
            name=name, ports=_there()
        )
    if number in (errno.EACCES, errno.EPERM):
        return _(
            "{name} may not be opened: on Linux `sudo usermod -aG dialout $USER` gives you the right; then log in anew"
        ).format(name=name)
    if number in (errno.EAGAIN, errno.EBUSY):
        return _("{name} is in use by another program: close it (a monitor, an IDE)").format(name=name)
    if Path(name).exists() and not Path(name).is_char_device():
        return _("{name} is no port; those that are there: {ports}").format(name=name, ports=_there())
    return _("{name} can't be opened: {error}").format(name=name, error=why(error))
