"""Makes findings of what a board that is stopped tells of itself: pure, so that any board can be thought up."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from cryptography import x509

from scanlatch_tools.boards import Board, compiled
from scanlatch_tools.boards.chips import FAMILIES
from scanlatch_tools.doctor.finding import Finding
from scanlatch_tools.flash import partitions

OLDEST, MPY = (1, 24), 6  # MicroPython, and its compiled files
DAYS_WARN = 60  # of the certificate
HEAP_LEAST = 30  # KiB, the budget of the firmware
_ROOM_LITTLE, _ROOM_FULL = 300, 24  # KiB: a slot for an update; settings and certificates once more
_FILLING = 0.8  # of the journal
_YEARS_LEAST = 2
_DAY_S = 86_400
_BEHIND_S, _AHEAD_S = 30 * _DAY_S, 300
_NAMES_MOST = 5
_PARTS = ("nvs", "vfs", "scanlog")
_KEYS = ("sign_key", "agree_key", "tls_key")
_DERIVED = ("mac_key", "cred_key", "bridge", "journal", "last_time")
_OURS = ("a", "b", "boot.py", "main.py", "scanlatch", "settings.json", "ca.der", "device.der", ".twin", "lib")


@dataclass(frozen=True, slots=True)
class Site:
    """What a site's folder says of itself. ca: the CA's certificate in DER; keys: the bridge's public keys, the newest
    last; used: the one that the registry has the terminal use, None where it does not know it."""

    ca: bytes
    keys: tuple[bytes, ...]
    used: bytes | None = None


def chip(told: Mapping[str, Any], board: Board | None) -> Iterator[Finding]:
    """Chip, flash, MicroPython."""
    number = told["number"] if isinstance(told["number"], str) else "?"
    kind = family(told["machine"])
    wanted = FAMILIES[board.board.chip] if board else ""
    if wanted and kind and wanted != kind:
        yield Finding("chip.other", {"chip": kind, "board": _name(board), "wanted": wanted})
    else:
        yield Finding("chip.is", {"text": told["machine"] or "?", "number": number})
    size = told["size"] >> 20 if isinstance(told["size"], int) else 0
    if not size:
        yield Finding("flash.untold")
    elif board and size < board.flash.size_mb:
        yield Finding("flash.small", {"mb": size, "board": _name(board), "wanted": board.flash.size_mb})
    else:
        yield Finding("flash.is", {"mb": size})
    version = ".".join(map(str, told["version"]))
    old = tuple(told["version"]) < OLDEST or told["mpy"] != MPY
    yield Finding("micropython.old" if old else "micropython.is", {"version": version})


def family(machine: str) -> str:
    """ "esp32", "esp32s3", ...: the chip behind "with"; "" where it says none of ours."""
    name = machine.rpartition(" with ")[2].lower().replace("-", "")
    return next((kind for kind in ("esp32s3", "esp32c3") if name.startswith(kind)), "esp32" if name == "esp32" else "")


def parts(told: Mapping[str, Any], board: Board | None) -> Finding:
    """The partition table."""
    found: list[list[Any]] = _list(told["parts"])
    journal = next((row for row in found if row[4] == partitions.JOURNAL), None)
    if journal is None:
        return Finding("partitions.no_journal")
    if isinstance(told["table"], str):
        try:
            there = partitions.read(base64.b64decode(told["table"]).ljust(partitions.SIZE, b"\xff"))
        except partitions.TableError as error:
            return Finding("partitions.damaged", {"why": str(error)})
        if board:
            wanted = {part.label: part for part in partitions.of_board(board)}
            other = [name for name in _PARTS if partitions.named(there, name) != wanted[name]]
            key = "partitions.other" if other else "partitions.are"
            return Finding(key, {"names": ", ".join(other), "board": _name(board)})
    return Finding("partitions.some", {"kb": journal[3] >> 10})


def room(told: Mapping[str, Any]) -> Finding:
    """The file system."""
    if not _list(told["room"]):
        return Finding("files.none", {"why": _error(told["room"])})
    free, every = _list(told["room"])
    root: list[str] = _list(told["root"])
    names = ", ".join(name for name in root if name not in _OURS) or "-"
    key = "files.full" if free < _ROOM_FULL else "files.little" if free < _ROOM_LITTLE else "files.room"
    return Finding(key, {"free": free, "all": every, "names": names})


def firmware(there: Mapping[str, str], wanted: Mapping[str, bytes] | None, version: str) -> Finding:
    """The program's files. there: SHA-256 by path; wanted: what this tool would write, None where that isn't known."""
    have = {_plain(name): digest for name, digest in there.items()}
    if not any(name.startswith("scanlatch/") for name in have):
        return Finding("firmware.none")
    if wanted is None:
        return Finding("firmware.untold", {"count": len(have)})
    want = {_plain(name): hashlib.sha256(data).hexdigest() for name, data in wanted.items()}
    missing = [name for name in want if name not in have]
    if missing:
        return Finding("firmware.missing", {"count": len(missing), "names": _few(missing)})
    other = [name for name, digest in want.items() if have[name] != digest]
    values = {"version": version or "?", "count": len(other) or len(want), "names": _few(other)}
    return Finding("firmware.other" if other else "firmware.is", values)


def keys(told: Mapping[str, Any], site: Site | None) -> Iterator[Finding]:
    """Id and keys, by their names alone."""
    nvs = told["nvs"]
    if "error" in nvs or "device" not in nvs:
        yield Finding("keys.none")
        return
    if "sign_key" not in nvs and "journal" in nvs:
        yield Finding("keys.lost", {"device": nvs["device"]})
        return
    missing = [name for name in (*_KEYS, *_DERIVED) if name not in nvs]
    yield Finding("keys.missing" if missing else "keys.are", {"device": nvs["device"], "names": ", ".join(missing)})
    if site and "bridge" in nvs:
        yield from _bridge_key(base64.b64decode(nvs["bridge"]), site)


def _bridge_key(has: bytes, site: Site) -> Iterator[Finding]:
    """The bridge's key that a terminal has: none of this site's, one that the registry has it past, or the newest."""
    if has not in site.keys or (site.used in site.keys and site.keys.index(has) < site.keys.index(site.used)):
        yield Finding("bridge.key")
    elif has != site.keys[-1]:
        yield Finding("bridge.old")


def settings(
    told: Mapping[str, Any], given: Mapping[str, Any] | None, checked: Sequence[Any] | None
) -> Iterator[Finding]:
    """The settings. given: as they were read; checked: what the terminal's own reader says."""
    raw = told["settings"]
    if raw.get("missing"):
        yield Finding("settings.none")
    elif given is None:
        yield Finding("settings.damaged", {"why": raw.get("error", "not JSON")})
    elif checked and checked[1]:
        yield Finding("settings.unknown", {"keys": ", ".join(checked[1])})
    elif checked and checked[2]:
        yield Finding("settings.wrong", {"key": checked[2][0], "why": checked[2][1]})
    elif told["nvs"].get("device", given.get("device")) != given.get("device"):
        yield Finding("settings.id", {"device": given.get("device"), "wanted": told["nvs"]["device"]})
    else:
        broker = given.get("broker", {})
        yield Finding("settings.are", {name: given.get(name, "?") for name in ("device", "site", "operation")}
                      | {"host": broker.get("host", "?"), "port": broker.get("port", "?")})  # fmt: skip


def against_board(given: Mapping[str, Any], board: Board | None) -> Finding | None:
    """The settings' board against its file."""
    has: Any = given.get("board")
    if board is None:
        named = str(cast("dict[str, Any]", has).get("name", "?")) if isinstance(has, dict) else ""
        return Finding("board.no_file", {"board": named}) if named else None
    wanted = compiled(board)
    other = sorted(_different(has, wanted, ""))
    return Finding("board.other" if other else "board.is", {"board": _name(board), "keys": ", ".join(other)})


def certificate(told: Mapping[str, Any], now_s: float, site: Site | None) -> Iterator[Finding]:
    """The terminal's certificate and the CA that it trusts."""
    found = {name: _certificate(told[key]) for name, key in (("ca.der", "ca"), ("device.der", "certificate"))}
    missing = [name for name, one in found.items() if one is None]
    own, ca = found["device.der"], told["ca"]
    if own is None or missing:
        yield Finding("certificate.none", {"names": ", ".join(missing)})
        return
    yield days_left(int((own.not_valid_after_utc.timestamp() - now_s) // _DAY_S))
    early = (own.not_valid_before_utc.timestamp() - now_s) / _DAY_S
    if early > 0:
        yield Finding("certificate.early", {"days": int(early) + 1})
    names = [str(one.value) for one in own.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    device = told["nvs"].get("device")
    if device and names != [device]:
        yield Finding("certificate.id", {"name": ", ".join(names), "device": device})
    if site and base64.b64decode(ca["data"]) != site.ca:
        yield Finding("certificate.site")


def days_left(days: int) -> Finding:
    """So many days until the certificate's end."""
    key = "ended" if days < 0 else "soon" if days < DAYS_WARN else "is"
    return Finding(f"certificate.{key}", {"days": abs(days)})


def journal(kept: int, capacity: int, room: int, fault: str | None) -> Finding:
    """How full it is. kept: records that the bridge may not have."""
    values = {"kept": kept, "capacity": capacity, "why": fault}
    if fault:
        return Finding("journal.fault", values)
    key = "full" if room <= 0 else "filling" if kept > _FILLING * capacity else "waiting" if kept else "is"
    return Finding(f"journal.{key}", values)


def wear(worn: int, years: int) -> Finding:
    """How often the flash was erased."""
    return Finding("wear.is" if years >= _YEARS_LEAST else "wear.worn", {"worn": worn, "years": years})


def heap(free: int, every: int | None) -> Finding:
    """Bytes of the heap."""
    low = free >> 10 < HEAP_LEAST
    if every is None and not low:
        return Finding("heap.free", {"free": free >> 10})
    values = {"free": free >> 10, "all": None if every is None else every >> 10, "least": HEAP_LEAST}
    return Finding("heap.low" if low else "heap.is", values)


def clock(told: Mapping[str, Any], now_s: float) -> Finding | None:
    """The last time that the terminal stored."""
    if "last_time" not in told["nvs"]:
        return None
    behind = now_s - told["nvs"]["last_time"] / 1000
    key = "ahead" if behind < -_AHEAD_S else "behind" if behind > _BEHIND_S else "is"
    return Finding(f"clock.{key}", {"ago": ago(abs(behind))})


def ago(seconds: float) -> str:
    """A span of time, in its largest unit."""
    for size, unit in ((_DAY_S, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _plain(name: str) -> str:
    """A file's path without the slot that it is in."""
    name = name.lstrip("/")
    return name[2:] if name[:2] in ("a/", "b/") else name


def _different(has: Any, wanted: Any, where: str) -> Iterator[str]:
    if not (isinstance(has, dict) and isinstance(wanted, dict)):
        if has != wanted:
            yield where
        return
    ours, theirs = cast("dict[str, Any]", has), cast("dict[str, Any]", wanted)
    for key in {*ours, *theirs}:
        yield from _different(ours.get(key), theirs.get(key), f"{where}.{key}" if where else key)


def _certificate(told: Mapping[str, Any]) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(told["data"]))
    except (KeyError, ValueError):
        return None


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES_MOST]) + (", ..." if len(names) > _NAMES_MOST else "")


def _error(told: Any) -> str:
    return str(cast("dict[str, Any]", told).get("error", "?")) if isinstance(told, dict) else "?"


def _list(told: Any) -> list[Any]:
    return cast("list[Any]", told) if isinstance(told, list) else []


def _name(board: Board | None) -> str:
    return board.board.name if board else "?"
