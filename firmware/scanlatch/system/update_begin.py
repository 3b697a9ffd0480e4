# The beginning of an update: whether what its manifest says is to be taken, and the slot made ready. Loaded for each.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false
import asyncio
import json
import os
import sys

from micropython import const

from scanlatch import VERSION, load

_LARGEST = const(524_288)  # bytes of a content
_MOST_FILES = const(200)
_BLOCK = const(4096)  # bytes of flash that a file takes at least
_SPARE = const(4)  # blocks: LittleFS writes anew before it lets go of the old
_ARCHITECTURES = const(" x86 x64 armv6 armv6m armv7m armv7em armv7emsp armv7emdp xtensa xtensawin rv32imc")


def family():
    """Which compiled files run here, such as "esp32-xtensawin-6.3"."""
    mpy = sys.implementation._mpy  # pyright: ignore
    return "%s-%s-%d.%d" % (sys.platform, _ARCHITECTURES.split(" ")[mpy >> 10 & 15], mpy & 0xFF, mpy >> 8 & 3)


async def made(work, message, manifest, highest):
    """(Slot for the content of this manifest, bytes of it that are there in whole files). Raises Refused, OSError.

    message: what `manifest` came in, stored so that it is begun once; highest: the highest counter that ran here.
    work: system.update's, whose `refuse` raises.
    """
    _check(work, manifest, highest)
    slot = load("system.trial").other()
    try:
        stored = load("keep.files").read_file(work.manifest)
    except OSError:  # damaged
        stored = None
    if stored != message:
        _need_room(work, manifest, slot)
        await work.quiet()
        _end_trial(load("system.trial"))
        await _clear(work, slot)
        await work.quiet()
        load("keep.files").write_file(work.manifest, message)
    at = 0
    for _, size in load("system.update_commit").content(slot):
        at += size
        await asyncio.sleep_ms(0)
    return slot, at


def _check(work, manifest, highest):
    kinds = (int, str, int, str, int, bytes, int, int)
    if not isinstance(manifest, dict) or len(manifest) != len(kinds):
        work.refuse("manifest: payload")
    for key, kind in enumerate(kinds):
        value = manifest.get(key + 1)
        if not isinstance(value, kind) or isinstance(value, bool) or (kind is int and value < 0):
            work.refuse("manifest: payload")
    if manifest[1] != 1 or not 0 < len(manifest[2]) <= 16 or len(manifest[6]) != 32:
        work.refuse("manifest: payload")
    if manifest[4] != family():
        work.refuse("other family: " + family())
    if not highest < manifest[3] < 1 << 62:
        work.refuse("counter is not above %d" % highest)
    if not 0 < manifest[5] <= _LARGEST or not 0 < manifest[8] <= _MOST_FILES:
        work.refuse("too big: at most %d bytes in %d files" % (_LARGEST, _MOST_FILES))


def _end_trial(trial):
    if trial.read()[trial.TRIAL] != trial.NONE:
        trial.write([trial.running(), trial.NONE, "0", "0", trial.NONE])


def _need_room(work, manifest, slot):
    # As few blocks as it may take: what turns out to be more ends in "no room" later, and harms nobody.
    size, _, _, free = os.statvfs(".")[:4]
    free = free * size // _BLOCK
    for path in load("system.update_commit").walk(slot):
        free += (os.stat(path)[6] + _BLOCK - 1) // _BLOCK
    wanted = max(manifest[5] // _BLOCK, manifest[8] * 3 // 4) + _SPARE  # the smallest lie in their folder's own block
    if wanted > free:
        work.refuse("no room: %d KB wanted, %d KB free" % (4 * wanted, 4 * free))


async def _clear(work, slot):
    # `whole` and the manifest first: what is left of it when the power fails is no slot, and begun by nobody.
    for path in (slot + "/whole", work.manifest):
        try:
            os.remove(path)
        except OSError:
            pass
    folders = [slot]
    for path in load("system.update_commit").walk(slot):
        await work.quiet()
        os.remove(path)
        folder = path[: path.rfind("/")]
        if folder not in folders:
            folders.append(folder)
    for folder in reversed(folders):
        try:
            os.rmdir(folder)
        except OSError:  # not empty: it stays for the next files
            pass
    try:
        os.mkdir(slot)
    except OSError:  # it is there still
        pass


def by_cable(name, arguments, command):
    """A command of an update, to be made as `command` (update.Work): prints {"result", "details"} as JSON.

    Besides: family {}, for what who brings an update wants to know first.
    """
    from scanlatch.keep import store
    from scanlatch.system import board, settings

    class Terminal:
        told = {"engine": ""}  # how it was, nobody knows
        quiet_ms = staticmethod(lambda: 1_000)

    terminal = Terminal()
    terminal.engine, terminal.settings, terminal.nvs = terminal, settings.load() or {}, store.Nvs(board.nvs())
    if name == "family":
        result, details = "ok", _facts(terminal)
    else:
        work = command(terminal, sys.modules.get("update"))  # between two calls
        result, details = asyncio.run(work.done(name, arguments))
        sys.modules["update"] = work.state  # pyright: ignore
    print(json.dumps({"result": result, "details": details}))


def _facts(terminal):
    # What who brings an update wants to know first.
    trial = load("system.trial")
    return {"family": family(), "version": VERSION, "slot": trial.running(), "counter": trial.highest(terminal)}
