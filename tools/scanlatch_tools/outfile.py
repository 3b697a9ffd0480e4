"""Writes a file that a person named: whole or not at all, and over nothing but an older one of its kind."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

_PLAIN = 0o666  # less what the umask takes
Begins = bytes | tuple[bytes, ...]


def must_fit(path: Path, begins: Begins) -> None:
    """Refuse what `write` would refuse, before work is done that would be lost.

    Raises:
        ToolError: there is a folder, a pipe, a device or a file of another kind; or its folder takes no file.
    """
    try:
        try:
            kind = path.stat().st_mode
        except FileNotFoundError:
            os.scandir(path.resolve().parent).close()  # it must be there, and be a folder
            return
        if not stat.S_ISREG(kind):
            raise ToolError(_("{path} is there, and no file: give the name of a file").format(path=path))
        with path.open("rb") as file:
            head = file.read(max(len(one) for one in ((begins,) if isinstance(begins, bytes) else begins)))
    except OSError as error:
        raise _refused(path, error) from error
    if head and not head.startswith(begins):
        raise ToolError(
            _("{path} is there and holds something else, which is not written over: choose another name").format(
                path=path
            )
        )


def write(path: Path, data: bytes, begins: Begins, mode: int = _PLAIN) -> None:
    """Write a file, in place of an older one of its kind.

    begins: how every file of this kind begins; mode: its rights.

    Raises:
        ToolError: as `must_fit`; or it can't be written, and then what was there is there still.
    """
    must_fit(path, begins)
    at = path.resolve()  # through a link, not over it
    new = at.with_name(at.name + ".new")
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
        new.replace(at)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> ToolError:
    return ToolError(_("{path} can't be written: {error}").format(path=path, error=why(error)))
