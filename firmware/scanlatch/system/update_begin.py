# The beginning of an update: its manifest verified, held against what this terminal has run, room for it made.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false
import asyncio
import os
import sys

from micropython import const

from scanlatch import VERSION, load
from scanlatch.prove import cbor, hashes

_AAD = const(b"scanlatch/1/update")
_MOST = const(512)  # bytes of a manifest's message
_SIGN1 = const(18)
_KID_SIZE = const(8)
_LARGEST = const(524_288)  # bytes of a content
_MOST_FILES = const(200)
_BLOCK = const(4096)  # bytes of flash that a file takes at least
_SPARE = const(4)  # blocks: LittleFS writes anew before it lets go of the old
_ARCHITECTURES = (
    "", "x86", "x64", "armv6", "armv6m", "armv7m", "armv7em", "armv7emsp", "armv7emdp", "xtensa", "xtensawin", "rv32imc"
)  # fmt: skip


def family():
    """Which compiled files run here, such as "esp32-xtensawin-6.3"."""
    mpy = sys.implementation._mpy  # pyright: ignore
    return "%s-%s-%d.%d" % (sys.platform, _ARCHITECTURES[mpy >> 10], mpy & 0xFF, mpy >> 8 & 3)


def facts(terminal):
    """What who brings an update wants to know first."""
    trial = load("system.trial")
    return {"family": family(), "version": VERSION, "slot": trial.running(), "counter": trial.highest(terminal.nvs)}


async def begin(work, message):
    """State of the work for the content of this manifest. Raises Refused, OSError.

    work: system.update's, whose `refuse` raises.
    """
    trial = load("system.trial")
    told = trial.read()
    if trial.running() is None:
        work.refuse("no slots: provision this terminal again")
    if told[trial.TRIAL] == trial.running():
        work.refuse("on trial")
    manifest = await _verified(work, message)
    _check(work, manifest, trial.highest(work.terminal.nvs))
    slot, files = trial.other(), trial.stored()
    try:
        stored = files.read_file(work.manifest)
    except OSError:  # damaged
        stored = None
    if stored != message:
        _need_room(work, manifest, slot)
        await work.quiet()
        if told[trial.TRIAL] != trial.NONE:
            trial.write([trial.running(), trial.NONE, "0", "0", trial.NONE])
        await _clear(work, slot)
        await work.quiet()
        files.write_file(work.manifest, message)
    at = 0
    for _, size in work.content(slot):
        at += size
        await asyncio.sleep_ms(0)
    return work.resumed(slot, at, manifest[5])


async def _verified(work, message):
    # The payload of a manifest that the site's release key signed.
    key = work.terminal.settings.get("release_key")
    if not key:
        work.refuse("no release key")
    if not isinstance(message, bytes) or not 0 < len(message) <= _MOST:
        work.refuse("manifest: size")
    point = bytes.fromhex(key)
    try:
        parts = cbor.loads(message)
        if not isinstance(parts, cbor.Tag) or parts.tag != _SIGN1:
            work.refuse("manifest: frame")
        parts = parts.value
        if not isinstance(parts, list) or len(parts) != 4 or parts.pop(1) != {}:
            work.refuse("manifest: frame")
        for part in parts:
            if not isinstance(part, bytes):
                work.refuse("manifest: frame")
        protected, payload, signature = parts
        if protected != cbor.dumps({1: -7, 4: hashes.sha256(point)[:_KID_SIZE]}):
            work.refuse("manifest: header")
        digest = hashes.sha256(cbor.dumps(("Signature1", protected, _AAD, payload)))
        slices = load("prove.verify").steps(point, digest, signature)
        good = None
        while good is None:
            good = next(slices)
            await asyncio.sleep_ms(0)
        if not good:
            work.refuse("manifest: signature")
        return cbor.loads(payload)
    except cbor.CborError:
        work.refuse("manifest: cbor")


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


def _need_room(work, manifest, slot):
    # As few blocks as it may take: what turns out to be more ends in "no room" later, and harms nobody.
    size, _, _, free = os.statvfs(".")[:4]
    free = free * size // _BLOCK
    for path in work.walk(slot):
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
    for path in work.walk(slot):
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
