"""A connection to a chip's loader, through esptool's Python API: ask, read, write, verify, reset."""

import re
import struct
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from esp_pylib.logger import EspLog, EspLogBase
from esptool import cmds, util
from esptool.util import FatalError

from scanlatch_tools.flash import ports
from scanlatch_tools.flash.errors import BrokenOffError, NoChipError, NoFitError, NotAsWrittenError
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import native, why

try:
    from termios import error as _port_error  # a port that is gone, where there are such
except ImportError:
    _port_error = OSError

_api: Any = cmds  # esptool comes without types
_util: Any = util
_LOST: tuple[type[Exception], ...] = (FatalError, OSError, struct.error, _port_error)

BAUD = 460_800
_FIRST_BAUD = 115_200
_ATTEMPTS = 7  # that many times BOOT and RESET are pulled, in different ways
_ATTEMPTS_BY_HAND = 2
_NAMES = {"ESP32": "esp32", "ESP32-S3": "esp32s3", "ESP32-C3": "esp32c3"}

Progress = Callable[[int, int], None]  # bytes done, of how many


@dataclass(frozen=True, slots=True)
class Chip:
    """What answers at a port. kind: "esp32", "esp32s3" or "esp32c3"; text: as its maker calls it."""

    kind: str
    text: str
    mac: str
    flash_mb: int


class _Quiet(EspLogBase):
    """esptool's words are not for a technician; its progress is."""

    progress_to: Progress | None = None

    def _nothing(self, *_args: Any, **_options: Any) -> None:
        pass

    print = note = warn = err = hint = debug = warning = error = set_verbosity = _nothing

    def progress_bar(self, cur_iter: int, total_iters: int, *_: Any, **_options: Any) -> None:
        if self.progress_to:
            self.progress_to(cur_iter, total_iters)


class Session:
    """A chip whose loader answers; use `connected`.

    can_reset: whether the port has lines that pull BOOT and RESET.
    """

    def __init__(self, esp: Any, chip: Chip, can_reset: bool, quiet: _Quiet) -> None:
        self.chip = chip
        self.can_reset = can_reset
        self._esp = esp
        self._quiet = quiet

    def read(self, at: int, size: int, progress: Progress | None = None) -> bytes:
        """Bytes of the flash."""

        def told(done: int, total: int, _at: int) -> None:
            if progress:
                progress(done, total)

        return self._esp.read_flash(at, size, told)

    def write(self, at: int, data: bytes, progress: Progress | None = None) -> None:
        """Erase what will be written, write it, and let the loader's MD5 of it be compared.

        Raises:
            NotAsWrittenError: the flash holds something else.
        """
        self._quiet.progress_to = progress and (lambda done, total: progress(done * len(data) // total, len(data)))
        try:
            _api.write_flash(self._esp, [(at, data)], flash_size="keep")
        except FatalError as error:
            if "MD5" in str(error) or "is empty" in str(error):
                raise NotAsWrittenError(
                    _(
                        "the flash at {at:#x} does not hold what was written: run this again; where it stays so, "
                        "the board's flash is worn out"
                    ).format(at=at)
                ) from error
            raise
        finally:
            self._quiet.progress_to = None


@contextmanager
def connected(name: str, *, stub: bool = True, baud: int = BAUD) -> Generator[Session]:
    """Connect to the chip at a port; at the end it is reset, and runs what is in its flash.

    Args:
        name: of the port.
        stub: load esptool's stub into the chip's RAM, which is faster than the loader in its ROM.
        baud: speed once the chip has answered, bits a second.

    Raises:
        NoChipError: none answers.
        NoFitError: the chip is of another kind, or locked.
        BrokenOffError: the connection was lost, within the block as well.
    """
    quiet = _Quiet()
    before = EspLog.instance
    EspLog.instance = quiet
    port = ports.opened(name)
    try:
        lines = ports.has_reset_lines(port)
        esp = _detected(port, name, lines)
        try:
            yield _ready(esp, stub, baud, lines, quiet)
        except _LOST as error:
            raise BrokenOffError(_lost(name, error)) from error
        finally:
            if lines:
                with suppress(*_LOST):
                    esp.hard_reset()
    finally:
        with suppress(*_LOST):
            port.close()
        EspLog.instance = before


def _detected(port: Any, name: str, lines: bool) -> Any:
    mode, attempts = ("default-reset", _ATTEMPTS) if lines else ("no-reset", _ATTEMPTS_BY_HAND)
    try:
        return _api.detect_chip(port, _FIRST_BAUD, mode, connect_attempts=attempts)
    except _LOST as error:
        if "Unexpected chip" in str(error):
            raise NoFitError(
                _("the chip at {name} is none that Scanlatch knows: {error}").format(name=name, error=why(error))
            ) from error
        raise NoChipError(
            _(
                "no chip answers at {name}: hold BOOT, press RESET (EN) shortly, let BOOT go, and run "
                "this again. Where there is no BOOT: another cable, another port"
            ).format(name=name)
        ) from error


def _ready(esp: Any, stub: bool, baud: int, lines: bool, quiet: _Quiet) -> Session:
    kind = _NAMES.get(esp.CHIP_NAME)
    if kind is None:
        known = ", ".join(_NAMES)
        raise NoFitError(
            _("this is an {chip_name}: Scanlatch runs on {known}").format(chip_name=esp.CHIP_NAME, known=known)
        )
    if esp.secure_download_mode or esp.get_secure_boot_enabled() or esp.get_flash_encryption_enabled():
        raise NoFitError(_("this chip is locked (secure boot or flash encryption): it takes only its maker's images"))
    if stub:
        esp = _api.run_stub(esp)
    if baud != _FIRST_BAUD:
        esp.change_baud(baud)
    esp.WRITE_FLASH_ATTEMPTS = 1  # a cable that was pulled is told of at once
    _api.attach_flash(esp)
    size = _api.detect_flash_size(esp)
    if size is None:
        raise NoFitError(_("the chip's flash does not say its size: another board, or solder joints"))
    esp.flash_set_parameters(_util.flash_size_bytes(size))
    text = re.sub(r"\s+", " ", esp.get_chip_description())
    mac = ":".join(f"{byte:02x}" for byte in esp.read_mac())
    return Session(esp, Chip(kind, text, mac, _util.flash_size_bytes(size) >> 20), lines, quiet)


def _lost(name: str, error: Exception) -> str:
    why = native((str(error).strip() or type(error).__name__).splitlines()[0].rstrip("."))
    return _(
        "the connection at {name} was lost ({why}): put the cable in and run the same command "
        "again. Where it happens again: another cable, or --baud 115200, or --no-stub"
    ).format(name=name, why=why)
