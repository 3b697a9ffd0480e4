"""What the doctor has a board run: each piece prints one line of JSON, and changes nothing that outlives a restart."""

# On a board that may have nothing of ours: whatever fails is told in place of its value. Of keys only their names.
PROBE = r"""
import gc, json, os, sys
from binascii import b2a_base64, crc32
def _try(get):
    try:
        return get()
    except Exception as error:
        return {"error": repr(error)[:200]}
def _table():
    import esp
    raw = bytearray(0xC00)
    esp.flash_read(0x8000, raw)
    end = raw.find(b"\xff" * 32)
    return b2a_base64(raw[: end if end >= 0 else 0xC00]).decode().strip()
def _size():
    import esp
    return esp.flash_size()
def _number():
    from machine import unique_id
    return "".join("%02x" % byte for byte in unique_id())
def _parts():
    from esp32 import Partition
    return [list(part.info()[:5]) for part in Partition.find(1)]
def _nvs():
    import esp32
    kept, room = {}, bytearray(512)
    store = esp32.NVS("scanlatch")
    for name in ("device", "sign_key", "agree_key", "tls_key", "mac_key", "cred_key", "bridge", "journal", "boot",
                 "last_time", "wifi_password"):
        try:
            size = store.get_blob(name, room)
        except OSError:
            continue
        kept[name] = True
        if name == "device":
            kept[name] = bytes(room[:size]).decode()
        elif name == "bridge":
            kept[name] = b2a_base64(room[:size]).decode().strip()
        elif name in ("boot", "last_time"):
            kept[name] = int.from_bytes(room[:size], "little")
    return kept
def _file(path):
    try:
        with open(path, "rb") as file:
            raw = file.read(17000)
    except OSError as error:
        return {"missing": True} if error.args[0] == 2 else {"error": repr(error)}
    if len(raw) < 4 or int.from_bytes(raw[-4:], "little") != crc32(raw[:-4]) & 0xFFFFFFFF:
        return {"error": "damaged"}
    return {"data": b2a_base64(raw[:-4]).decode().strip()}
def _room():
    told = os.statvfs("/")
    return [told[0] * told[3] >> 10, (told[1] or told[0]) * told[2] >> 10]
def _home():
    for path in sys.path:
        try:
            os.stat(path + "/scanlatch" if path else "scanlatch")
            return path
        except OSError:
            pass
    return ""
gc.collect()
print(json.dumps({
    "version": list(sys.implementation.version)[:3], "mpy": getattr(sys.implementation, "_mpy", 0) & 0xFF,
    "machine": getattr(sys.implementation, "_machine", ""), "number": _try(_number), "size": _try(_size),
    "table": _try(_table), "parts": _try(_parts), "nvs": _try(_nvs), "room": _try(_room),
    "root": _try(lambda: sorted(os.listdir("/"))), "home": _home(),
    "heap": [gc.mem_free(), gc.mem_free() + gc.mem_alloc()],
    "settings": _file("settings.json"), "ca": _file("ca.der"), "certificate": _file("device.der"),
}))
"""

# With the terminal's own reader: every key that it does not know, then what else is wrong.
SETTINGS = """
import json
from scanlatch import VERSION
from scanlatch.keep import files
from scanlatch.system import settings
_unknown, _wrong = [], None
_given = json.loads(files.read_file("settings.json"))
for _ in range(20):
    try:
        settings.check(_given)
        break
    except settings.SettingsError as error:
        _at, _path = _given, error.key.split(".")
        for _name in _path[:-1]:
            _at = _at[_name]
        if not error.advice.startswith("is not known"):
            _wrong = [error.key, error.advice]
            break
        _unknown.append(error.key)
        del _at[_path[-1]]
print(json.dumps([VERSION, _unknown, _wrong]))
"""

JOURNAL = """
import json
from scanlatch.keep import store
from scanlatch.keep.journal import Journal
from scanlatch.system import board, report, wiring
_journal = Journal(wiring.scanlog(), store.Nvs(board.nvs()).get_bytes("journal"))
_journal.recover()
_erased, _worn, _years = report.wear(_journal)
_kept = _journal.newest - _journal.freed
print(json.dumps([_kept, _journal.capacity, _journal.room, _journal.fault, _worn, _years[0]]))
"""

# The board's parts, as the program makes them; what the program loads at its start is loaded, so that the heap says
# what is left beside it.
PARTS = """
import gc, json
from scanlatch import app, start
from scanlatch.keep import store
from scanlatch.system import board, settings, wiring
_given = settings.load()
_nvs = store.Nvs(board.nvs())
_password = (_nvs.get_bytes("wifi_password") or b"").decode()
_box = wiring.board(_given["board"], _given.get("wifi", {}).get("ssid"), _password)
gc.collect()
print(json.dumps([gc.mem_free(), gc.mem_free() + gc.mem_alloc()]))
"""

# Placeholder: UTC now as RTC.datetime takes it; it holds until the restart.
LINK = """
import asyncio, json, machine, socket
from scanlatch.send import tls
def _looked():
    told = {{}}
    machine.RTC().datetime({now})
    told["up"] = asyncio.run(_box.link.up({limit_ms}))
    if not told["up"]:
        return told
    told["rssi"] = _box.link.rssi()
    broker = _given["broker"]
    try:
        place = socket.getaddrinfo(broker["host"], broker["port"], 0, socket.SOCK_STREAM)[0][-1]
    except OSError as error:
        told["name"] = repr(error)
        return told
    if not isinstance(place, (bytes, bytearray)):
        told["address"] = place[0]
    line = socket.socket()
    try:
        line.settimeout(10)
        line.connect(place)
    except OSError as error:
        told["broker"] = repr(error)
        line.close()
        return told
    try:
        line = tls.stored(_nvs).wrap_socket(line, server_hostname=broker["name"])
    except (OSError, ValueError) as error:
        told["tls"] = repr(error)
    line.close()
    return told
print(json.dumps(_looked()))
"""

LIGHT = """
import time
for _colour in ((60, 0, 0), (0, 60, 0), (0, 0, 60)):
    _box.light.colour(*_colour)
    time.sleep_ms(700)
_box.light.colour(0, 0, 0)
print("true")
"""
TONE = """
import time
for _hz in (1000, 2000):
    _box.play(_hz)
    time.sleep_ms(300)
_box.stop()
print("true")
"""
BUTTON = """
import json, time
def _button(limit_ms):
    if _box.pressed():
        for _ in range(20):
            time.sleep_ms(100)
            if not _box.pressed():
                break
        else:
            return "stuck"
    down = False
    for _ in range(0, limit_ms, 20):
        now = _box.pressed()
        if down and not now:
            return "is"
        down = down or now
        time.sleep_ms(20)
    return "stuck" if down else "not"
print(json.dumps(_button({limit_ms})))
"""
