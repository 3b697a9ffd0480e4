"""What a board tells of itself before anything is written: MicroPython, partitions, the id and settings it has."""

import json
import re
from dataclasses import dataclass
from typing import Any

from scanlatch_tools.boards.chips import FAMILIES
from scanlatch_tools.cable import Cable, NonsenseError
from scanlatch_tools.provision.errors import NotForThisError
from scanlatch_tools.texts import _

_OLDEST = (1, 24)
_MPY = 6  # version of compiled files; MicroPython 1.24 and later
_OTHERS = ("s2", "c2", "c5", "c6", "h2", "p4")  # behind "esp32": chips that are none of ours
_ID_BYTES = 3  # of the chip's own number, enough to tell a site's boards apart

# Runs on a board that may have nothing of ours yet. settings.json and ca.der end with their CRC-32.
_ASK = """
import json, sys
told = {"version": list(sys.implementation.version)[:2], "mpy": getattr(sys.implementation, "_mpy", 0) & 0xFF}
told["machine"] = getattr(sys.implementation, "_machine", "")
try:
    from machine import unique_id
    told["chip"] = "".join("%02x" % byte for byte in unique_id())
except (ImportError, AttributeError):
    pass
try:
    import esp32
    told["scanlog"] = [part.info()[2:4] for part in esp32.Partition.find(1, label="scanlog")]
    for name in ("device", "wifi_password"):
        room = bytearray(64)
        try:
            size = esp32.NVS("scanlatch").get_blob(name, room)
            told[name] = name[0] == "w" or bytes(room[:size]).decode()
        except OSError:
            pass
except ImportError:
    pass
try:
    with open("settings.json", "rb") as file:
        told["settings"] = json.loads(file.read()[:-4])
except (OSError, ValueError):
    pass
try:
    import hashlib
    with open("ca.der", "rb") as file:
        told["ca"] = "".join("%02x" % byte for byte in hashlib.sha256(file.read()[:-4]).digest())
except (ImportError, OSError):
    pass
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """A board's own words.

    chip: the chip's number in hex, "" where it tells none; device: the id that it has, "" where none; board: name of
    the board file that it was provisioned for, ""; wifi: the network that it knows, ""; password: whether it has one;
    machine: as MicroPython calls module and chip; journal: place and size of its partition; site, operation, ntp: as
    its settings have them, "" where they don't; ca: SHA-256 in hex of the CA's certificate that it trusts, "".
    """

    version: tuple[int, ...]
    chip: str
    device: str
    board: str
    wifi: str
    password: bool
    machine: str = ""
    journal: tuple[int, int] = (0, 0)
    site: str = ""
    operation: str = ""
    ntp: str = ""
    ca: str = ""

    @property
    def family(self) -> str:
        """Its chip's: "esp32", "esp32s3" or "esp32c3"; "" where it says another, or none."""
        chip = self.machine.rpartition(" with ")[2].lower().replace("-", "")
        known = sorted(set(FAMILIES.values()), key=len, reverse=True)
        found = next((family for family in known if chip.startswith(family)), "")
        return found if chip.removeprefix(found)[:2] not in _OTHERS else ""

    @property
    def own_name(self) -> str:
        """The id that it has, or one made of the chip's number; "" where it tells none."""
        return self.device or (f"t-{self.chip[-2 * _ID_BYTES :]}" if self.chip else "")


def ask(cable: Cable) -> Facts:
    """Ask a board.

    Raises:
        NotForThisError: it can't become a terminal as it is; says what to do.
        NonsenseError: it does not answer as MicroPython does.
    """
    said = cable.run(_ASK)
    try:
        return _facts(json.loads(said.strip().splitlines()[-1]))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise NonsenseError(cable.port, said) from error


def _facts(told: dict[str, Any]) -> Facts:
    """A board's words, each of its type; what stands in a name is looked at where it is used."""
    version = tuple(map(int, told["version"]))
    if version < _OLDEST or told["mpy"] != _MPY:
        running = ".".join(map(str, version))
        raise NotForThisError(
            _("the board runs MicroPython {running}: `scanlatch flash` gives it 1.24 or newer").format(running=running)
        )
    if not told.get("scanlog"):
        raise NotForThisError(_("the board has no partition for the journal: `scanlatch flash` gives it our table"))
    settings: dict[str, Any] = told.get("settings") or {}
    return Facts(
        version,
        _text(told.get("chip", ""), "[0-9a-f]*"),
        _text(told.get("device", ""), "[a-z0-9-]*"),
        _text(settings.get("board", {}).get("name", ""), "[a-z0-9-]*"),  # never a path: what it names is read
        _text(settings.get("wifi", {}).get("ssid", ""), ".*"),
        bool(told.get("wifi_password")),
        str(told.get("machine", "")),
        (int(told["scanlog"][0][0]), int(told["scanlog"][0][1])),
        _text(settings.get("site", ""), "[a-z0-9-]*"),
        _text(settings.get("operation", ""), "[a-z-]*"),
        _text(settings.get("ntp") or "", ".*"),
        _text(told.get("ca", ""), "[0-9a-f]*"),
    )


def _text(value: str, form: str) -> str:
    if not re.fullmatch(form, value):
        raise ValueError(value)
    return value
