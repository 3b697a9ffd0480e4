"""A bare board without the hardware: waits as a chip's loader, and runs what is flashed into it, over one cable."""

import json
import os
import shutil
import threading
from pathlib import Path

from scanlatch_tools.texts import _
from scanlatch_tools.twin.chip.boot import Booted, Part, UnbootableError, boot
from scanlatch_tools.twin.chip.cable import Cable
from scanlatch_tools.twin.chip.console import ConsolePower
from scanlatch_tools.twin.chip.faults import Faults
from scanlatch_tools.twin.chip.loader import SYNC_PACKET, CablePulledError, Loader
from scanlatch_tools.twin.chip.models import MODELS
from scanlatch_tools.twin.chip.nor import FlashChip
from scanlatch_tools.twin.chip.rom import Chip
from scanlatch_tools.twin.chip.slip import framed
from scanlatch_tools.twin.device import Twin, TwinError
from scanlatch_tools.twin.engines import Simulator

# More than the twin's 160K: there the firmware alone is weighed, here a console and a technician's calls come on top.
HEAP = "224K"
FLASH_MB = (4, 8, 16)  # of chips that there are

_SYNC = framed(SYNC_PACKET)
_USED = b"a folder stands for what would be here"  # in the first bytes of the file system's and NVS's partition
_MAKER = bytes.fromhex("2462ab")  # Espressif's, the upper half of a chip's number
_TAIL = len(_SYNC) - 1  # of what was heard: the beginning of a sync, at most


class BareBoard(Twin):
    """A board in a folder. What survives a power cut: `flash.bin`, and `files` and `nvs.json` while the flash has the
    partitions that they stand for: where these are erased, they are gone.

    chip: "esp32", "esp32s3" or "esp32c3"; flash_mb: its flash chip. The rest as a twin's. `port` is where a host finds
    it; `mac` is its chip's number; `faults` may be changed at any time; `why` says why nothing runs, "" where something
    does.
    """

    _has_slot = False

    def __init__(
        self,
        folder: Path,
        *,
        chip: str = "esp32",
        flash_mb: int = 4,
        simulator: Simulator | None = None,
        heap: str = HEAP,
    ) -> None:
        super().__init__(folder, heap=heap, simulator=simulator)
        (self.folder / "lib").unlink()
        self.faults = Faults()
        self.why = "it has no power"
        self.flash = FlashChip(self.folder / "flash.bin", flash_mb << 20)
        self.mac = _number(self.folder / "mac")
        self._model = MODELS[chip]
        self._loader: Loader | None = None
        self._heard = b""
        self._state = threading.RLock()
        self._powered = False
        self.port.unlink(missing_ok=True)  # of one that was not taken away
        self._cable = Cable(self.port, self._from_host, self._let_go)
        self._power = ConsolePower(self.folder, self._trace, heap, self._its_environment(), self._cable.say)

    @property
    def port(self) -> Path:
        """The name of its port; it is there while the cable is in."""
        return self.folder / "port"

    @property
    def runs(self) -> bool:
        """Whether it runs what was flashed; else it waits as a loader, or has no power."""
        return self._power.on

    def start(self) -> None:
        """Power on, by putting the cable in."""
        with self._state:
            if self._powered:
                raise TwinError(_("the board in {folder} has power already").format(folder=self.folder))
            if not self.port.is_symlink():
                self._cable.put_in()
            self._powered = True
            self._reset()

    def kill(self) -> None:
        """Cut the power; the cable stays."""
        with self._state:
            self._powered = False
            self._leave()
            self.why = "it has no power"

    def power_cycle(self) -> None:
        """Power off and on; the cable stays in, and the port with it."""
        self.kill()
        self.start()

    def pull_cable(self) -> None:
        """Pull the cable, and the power with it."""
        self._cable.pull()
        self.kill()

    def put_cable_in(self) -> None:
        """Put it in again."""
        self.start()

    def stop(self) -> None:
        """Take the board away; its folder stays."""
        self._cable.pull()
        if self._powered:
            self.kill()
        super().stop()
        self.flash.close()

    def run(self, code: str) -> str:  # noqa: ARG002
        """Not this way: a bare board is reached over its cable."""
        raise TwinError(_("a bare board runs code over its cable: {port}").format(port=self.port))

    def put(self, path: str, data: bytes) -> None:  # noqa: ARG002
        """Not this way: a bare board is reached over its cable."""
        raise TwinError(_("a bare board takes files over its cable: {port}").format(port=self.port))

    # The finger on BOOT and RESET

    def _from_host(self, data: bytes, baud: int) -> None:
        with self._state:
            if not self._powered:
                return
            self._heard += data
            if _SYNC in self._heard and (self._loader is None or self._loader.busy):
                data = self._heard[self._heard.index(_SYNC) :]
                self._leave()
                self._loader = Loader(Chip(self._model, self.flash, self.mac, self.faults.locked), self.faults)
            self._heard = self._heard[-_TAIL:]
            if self._loader is None:
                self._power.type(data)
            else:
                self._load(self._loader, data, baud)

    def _load(self, loader: Loader, data: bytes, baud: int) -> None:
        try:
            for said in loader.hear(data, baud):
                if self.faults.slow_s:
                    threading.Event().wait(self.faults.slow_s)
                self._cable.say(said)
        except CablePulledError:
            self.pull_cable()
            return
        if loader.boots:
            self._reset()

    def _let_go(self) -> None:
        with self._state:
            if self._powered and self._loader is not None:
                self._reset()

    # Power and what it starts

    def _leave(self) -> None:
        self._loader, self._heard = None, b""
        if self._power.on:
            self._power.cut()

    def _reset(self) -> None:
        self._leave()
        try:
            found = boot(self.flash, self._model)
        except UnbootableError as error:
            self.why = str(error)
            self._loader = Loader(Chip(self._model, self.flash, self.mac, self.faults.locked), self.faults)
            return
        self.why = ""
        self._lay_out(found)
        self.engine.power_cycle()
        self._power.switch_on({})

    def _lay_out(self, found: Booted) -> None:
        """Give the stand-ins the partitions that the table names."""
        log = found.parts.get("scanlog")
        told = {"sectors": log.size // 4096, "at": log.at, "flash": "flash.bin"} if log else {"sectors": 0}
        (self.folder / "twin.json").write_text(json.dumps(told))
        if self._is_new(found.parts.get("nvs")):
            (self.folder / "nvs.json").unlink(missing_ok=True)
        if self._is_new(found.parts.get("vfs")):
            shutil.rmtree(self.files)
            self.files.mkdir()

    def _is_new(self, part: Part | None) -> bool:
        """Whether a partition was erased since it was used; it is used now."""
        if part is None or self.flash.read(part.at, len(_USED)) == _USED:
            return False
        self.flash.erase(part.at, 1)
        self.flash.program(part.at, _USED)
        return True

    def _its_environment(self) -> dict[str, str]:
        name = self._model.name
        chip = "" if name == "esp32" else name  # the stand-ins' own is the plain one
        return {
            "SCANLATCH_BARE": str(self.folder),
            "SCANLATCH_BARE_MAC": self.mac.hex(),
            "SCANLATCH_BARE_MACHINE": f"Generic {name.upper()} module with {name.upper()}",
            "SCANLATCH_TWIN": "/.twin",
            "SCANLATCH_TWIN_CHIP": chip,
            "TZ": "UTC",
        }


def _number(path: Path) -> bytes:
    """A chip's number, made where it has none: it is its own for life."""
    if not path.exists():
        path.write_text((_MAKER + os.urandom(3)).hex())
    return bytes.fromhex(path.read_text())
