"""The program of a bare board, with the console of real MicroPython at the other end of its cable."""

import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import tty
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from scanlatch_tools.twin import interpreter
from scanlatch_tools.twin.power import RESETS, SOFT, Power
from scanlatch_tools.twin.trace import Trace

_ENTRY = ["-i", "-c", "import bare_on"]
_CTRL_A, _CTRL_C = b"\x01", b"\x03"
_RAW_END = b"OK\r\n"  # what the console says last where it is left by Ctrl-D in its raw mode
_CHUNK = 4096
_LFLAG, _CC = 3, 6
_TAIL = 64
_PATIENCE_S = 2.0
_FULL_S = 0.05


class ConsolePower(Power):
    """As `Power`, with the console on the cable: `type` is what the host sends, `say` gets what the program prints."""

    def __init__(
        self, folder: Path, trace: Trace, heap: str, environment: Mapping[str, str], say: Callable[[bytes], None]
    ) -> None:
        super().__init__(folder, trace, heap, environment, "../stand_ins:.frozen")
        self._say = say
        self._line = -1
        self._tail = b""
        self._raw = False  # left by a soft reset in the console's raw mode: main.py doesn't run
        self._typing = threading.Lock()
        self._speaker: threading.Thread | None = None

    def type(self, data: bytes) -> None:
        """Bytes from the host; Ctrl-C interrupts a program that runs, as the terminal's line discipline would."""
        with self._typing, suppress(OSError, termios.error):  # the program has just ended: nobody reads it
            if self._line < 0:
                return
            parts = data.split(_CTRL_C) if self._interruptible() else [data]
            for index, part in enumerate(parts):
                if index and self._process is not None:
                    self._process.send_signal(signal.SIGINT)
                self._write(part)

    def _write(self, part: bytes) -> None:
        until = time.monotonic() + _PATIENCE_S
        while part and time.monotonic() < until:  # then what it doesn't read is lost, as in a serial line's buffer
            with suppress(BlockingIOError):
                part = part[os.write(self._line, part) :]
                continue
            select.select([], [self._line], [], _FULL_S)

    def _interruptible(self) -> bool:
        return bool(termios.tcgetattr(self._line)[_LFLAG] & termios.ISIG)

    def _launch(self, cause: int) -> subprocess.Popen[bytes]:
        for name in ("wdt", "timer"):
            (self._folder / name).unlink(missing_ok=True)
        if cause != SOFT:
            (self._folder / "rtc").unlink(missing_ok=True)
        line, device = os.openpty()
        tty.setraw(device)
        settings = termios.tcgetattr(device)
        settings[_LFLAG] |= termios.ISIG
        settings[_CC][termios.VMIN] = 1
        termios.tcsetattr(device, termios.TCSANOW, settings)
        fcntl.ioctl(device, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        raw = cause == SOFT and self._raw
        self._process = subprocess.Popen(
            interpreter.command(_ENTRY, self._heap),
            env={
                **os.environ,
                **self._environment,
                **self._more,
                "SCANLATCH_TWIN_CAUSE": str(cause),
                **({"SCANLATCH_BARE_RAW": "1"} if raw else {}),
            },
            cwd=self._folder / "files",
            stdin=device,
            stdout=device,
            stderr=device,
            start_new_session=True,  # Ctrl-C is for the launcher; the board's own comes over the cable
        )
        os.close(device)
        os.set_blocking(line, False)
        if raw:
            os.write(line, _CTRL_A)  # the console comes up in the mode in which it was left
        with self._typing:
            self._line = line
        self._speaker = threading.Thread(target=self._speak, args=(line,), name="console", daemon=True)
        self._speaker.start()
        return self._process

    def _next_start(self, process: subprocess.Popen[bytes]) -> int | None:
        alive = self._ends(process)
        with self._typing:
            self._line = -1
        if self._speaker is not None:
            self._speaker.join()
        self._raw = False
        if not alive:
            return self._bite()
        if process.returncode in RESETS:
            return RESETS[process.returncode]
        if process.returncode == -signal.SIGINT:  # Ctrl-C before the interpreter listens; a chip's always does
            return SOFT
        if process.returncode < 0:
            return None
        self._raw = self._tail.endswith(_RAW_END)
        self._say(b"MPY: soft reboot\r\n")
        return SOFT

    def _speak(self, line: int) -> None:
        try:
            while True:
                with suppress(BlockingIOError):
                    data = os.read(line, _CHUNK)
                    self._tail = (self._tail + data)[-_TAIL:]
                    self._say(data)
                    continue
                select.select([line], [], [])
        except OSError:  # the program has ended
            with self._typing:  # nobody types into a line that is closed, or is another's by then
                self._line = -1
                os.close(line)
