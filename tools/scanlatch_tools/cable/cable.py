"""One board at its port: what runs there is stopped, and it does what the host asks until it is let go."""

import base64
import hashlib
import os
import re
import struct
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from mpremote.transport import TransportError  # type: ignore[import-untyped]

from scanlatch_tools.cable.errors import CableLostError, DeviceError, NoAnswerError, NonsenseError
from scanlatch_tools.cable.line import Line
from scanlatch_tools.flash import ports
from scanlatch_tools.flash.errors import NoChipError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import native, why

try:
    from termios import error as _port_error  # a port that is gone, where there are such
except ImportError:
    _port_error = OSError

_transport_error: type[Exception] = TransportError  # comes without types
# The last two are pyserial's, where the port was closed meanwhile.
_LOST: tuple[type[Exception], ...] = (_transport_error, _port_error, OSError, struct.error, TypeError, AttributeError)

_ENTRIES = 16  # a Ctrl-C may fall on deaf ears: in boot.py, or in a call that blocks
_ANSWER_S = 120.0  # the longest silence: keys are made, a whole journal is erased
_LONGEST_S = 600.0  # one run
_CHUNK = 2048  # bytes of a file in one call: its text needs three times that of the board's heap
_FILE_MOST = 1 << 20
_FED_EVERY_S = 120.0
_OPEN_S = 15.0  # a board with its USB in the chip is gone from the bus for a moment
_OPEN_EVERY_S = 0.2
_LOOK_S = 0.5
_DIGEST = re.compile("[0-9a-f]{64}")
_HEARD_MOST = 65_536  # bytes of the console that wait to be taken

# Where the terminal's watchdog runs it can't be stopped, only given time; in system/watchdog it would bite after 30 s.
_FEED = """
try:
    from machine import WDT
    WDT(timeout=600_000)
except (ImportError, ValueError, OSError):
    pass
"""
_HELPERS = """
import os, hashlib
from binascii import a2b_base64 as _dec, b2a_base64 as _enc, hexlify as _hex
def _dirs(path):
    parts = path.split("/")[:-1]
    for i in range(1, len(parts) + 1):
        name = "/".join(parts[:i])
        try:
            name and os.mkdir(name)
        except OSError as error:
            if error.args[0] != 17:
                raise
def _digest(path):
    seen, part = hashlib.sha256(), bytearray(1024)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(part)
            if not count:
                return _hex(seen.digest()).decode()
            seen.update(memoryview(part)[:count])
def _part(path, mode, text):
    with open(path, mode) as file:
        file.write(_dec(text))
def _done(path, digest):
    if _digest(path + ".part") != digest:
        raise OSError("arrived otherwise: " + path)
    os.rename(path + ".part", path)
def _get(path, at):
    with open(path, "rb") as file:
        file.seek(at)
        print(_enc(file.read(2048)).decode(), end="")
"""


class Cable:
    """A board's console. Made by `connected`, or by hand: then `close` it.

    port: its name; waits: a port that is gone for a moment is waited for. What the board runs is stopped at the first
    call that needs it, by a soft reset without main.py.
    """

    def __init__(self, port: str, *, waits: bool = True) -> None:
        self.port = port
        self._waits = waits
        self._line: Any = _opened(port)
        self._fed: float | None = None
        self._raw = False
        self._heard = b""  # of its console, and not yet given

    def __enter__(self) -> "Cable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the port; the board goes on with what it does."""
        with suppress(*_LOST):
            self._line.close()

    def stop(self) -> None:
        """Stop what it runs, with a soft reset; main.py does not run.

        Raises:
            NoAnswerError: nobody answers as MicroPython does.
        """
        try:
            self._raw = any(self._line.enter() for _ in range(_ENTRIES))
        except _LOST as error:
            raise self._lost(error) from error
        if not self._raw:
            raise NoAnswerError(
                _(
                    "no MicroPython answers at {port}: is it the right port? A board out of its bag gets it "
                    "with `scanlatch flash`; else press RESET (EN) and run this again"
                ).format(port=self.port)
            )
        self._fed = None
        self.run(_HELPERS)

    def run(self, code: str, *, silence_s: float = _ANSWER_S) -> str:
        """Run code on the board to its end; what it printed. It is fed, so that no watchdog bites meanwhile.

        Args:
            code: Python.
            silence_s: how long it may say nothing.

        Raises:
            DeviceError: the code raised.
            CableLostError: the board or the cable is gone, or it did not end in time.
        """
        if not self._raw:
            self.stop()
        now = time.monotonic()
        if self._fed is None or now - self._fed > _FED_EVERY_S:
            self._fed = now
            self._told(_FEED, silence_s)
        return self._told(code, silence_s)

    def put(self, path: str, data: bytes) -> None:
        """Write a file: the old one stands until the new one is whole, and is there as it was sent.

        Raises:
            DeviceError, CableLostError.
        """
        path = path.lstrip("/")  # where a board begins
        part = f"{path}.part"
        for at in range(0, len(data) or 1, _CHUNK):
            text = base64.b64encode(data[at : at + _CHUNK])
            first = f"_dirs({path!r})\n" if at == 0 else ""
            end = f"\n_done({path!r}, {hashlib.sha256(data).hexdigest()!r})" if at + _CHUNK >= len(data) else ""
            self.run(f"{first}_part({part!r}, {'wb' if at == 0 else 'ab'!r}, {text!r}){end}")

    def get(self, path: str) -> bytes:
        """A file's bytes, 1 MiB at most. Raises DeviceError, CableLostError, NonsenseError."""
        data = b""
        while len(data) <= _FILE_MOST:
            said = self.run(f"_get({path!r}, {len(data)})")
            try:
                part = base64.b64decode(said.strip(), validate=True)
            except ValueError as error:
                raise NonsenseError(self.port, said) from error
            data += part
            if len(part) < _CHUNK:
                return data
        raise CableLostError(
            _("{path} is longer than {file_most} bytes: that is no file of a terminal").format(
                path=path, file_most=_FILE_MOST
            )
        )

    def digests(self, *names: str) -> dict[str, str]:
        """SHA-256 in hex of these files, and of all below these folders, by path. Missing ones are left out.

        Raises:
            DeviceError, CableLostError, NonsenseError.
        """
        said = self.run(
            f"def _all(path):\n"
            f"    try:\n        mode = os.stat(path)[0]\n    except OSError:\n        return\n"
            f"    if mode & 0x4000:\n        for one in os.listdir(path):\n            _all(path + '/' + one)\n"
            f"    else:\n        print(_digest(path), path)\n"
            f"for one in {names!r}:\n    _all(one)\n"
        )
        rows = [line.partition(" ") for line in said.splitlines() if line]
        if not all(path and _DIGEST.fullmatch(digest) for digest, _blank, path in rows):
            raise NonsenseError(self.port, said)
        return {str(PurePosixPath(path)): digest for digest, _blank, path in rows}

    def restart(self) -> None:
        """Start the board anew as at power on, with what it has in its flash. Raises CableLostError."""
        if not self._raw:
            self.stop()
        self._raw, self._heard = False, b""
        try:
            self._line.exec_raw_no_follow("import machine\nmachine.reset()")
        except _LOST as error:
            raise self._lost(error) from error

    def lines(self, limit_s: float) -> Iterator[str]:
        """Lines that the running board prints, for `limit_s` seconds; a port that is gone for a moment is waited for.

        Raises:
            CableLostError: it is gone for longer.
        """
        until = time.monotonic() + limit_s
        while True:
            *whole, self._heard = self._heard.split(b"\n", 1)
            if whole:
                yield whole[0].decode("utf-8", "replace").strip()
            elif (left := until - time.monotonic()) > 0:
                self._hear(min(left, _LOOK_S))
            else:
                return

    def _hear(self, limit_s: float) -> None:
        try:
            self._heard = (self._heard + self._line.chunk(limit_s))[-_HEARD_MOST:]
        except _LOST as error:
            self.close()
            if not self._waits:
                raise self._lost(error) from error
            self._reopen(error)
            self._heard = b""

    def _reopen(self, why: Exception) -> None:
        until = time.monotonic() + _OPEN_S
        while time.monotonic() < until:
            with suppress(NoAnswerError):
                self._line = _opened(self.port)
                return
            time.sleep(_OPEN_EVERY_S)
        raise self._lost(why) from why

    def _told(self, code: str, silence_s: float) -> str:
        try:
            self._line.exec_raw_no_follow(code)
            said = self._until_end(silence_s)
            wrong = self._until_end(silence_s)
        except _LOST as error:
            raise self._lost(error) from error
        if wrong:
            raise DeviceError(wrong)
        return said

    def _until_end(self, silence_s: float) -> str:
        data = self._line.read_until(1, b"\x04", timeout=silence_s, timeout_overall=_LONGEST_S)
        if not data.endswith(b"\x04"):
            raise TransportError(f"it said nothing more for {silence_s:.0f} s")
        return data[:-1].decode("utf-8", "replace").replace("\r\n", "\n")

    def _lost(self, error: Exception) -> CableLostError:
        self._raw = False
        if os.name != "nt" and not Path(self.port).exists():
            why = _("its port is gone: was the cable pulled?")
        else:
            why = native((str(error).strip() or type(error).__name__).splitlines()[0].rstrip("."))
            why = _("it stopped answering ({why}).").format(why=why)
        return CableLostError(
            _("the board at {port}: {why} Put the cable in and run the same command again").format(
                port=self.port, why=why
            )
        )


@contextmanager
def connected(port: str) -> Generator[Cable]:
    """The board at a port, stopped. At the end the port is let go of, and the board stays as it is.

    Raises:
        NoAnswerError: no port, or no MicroPython at it.
    """
    with Cable(port) as cable:
        cable.stop()
        yield cable


def _opened(port: str) -> Line:
    try:
        return Line(ports.opened(port))
    except NoChipError as error:
        raise NoAnswerError(str(error)) from error
    except _LOST as error:  # gone between the look and the use
        raise NoAnswerError(_("{port} can't be used: {error}").format(port=port, error=why(error))) from error
