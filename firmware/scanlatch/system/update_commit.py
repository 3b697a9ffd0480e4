# The end of an update: its content read back and held against what was signed, then the slot goes on trial.
# pyright: reportAttributeAccessIssue=false, reportOptionalSubscript=false, reportIndexIssue=false, reportOperatorIssue=false
import asyncio
import hashlib
import os

from micropython import const

from scanlatch import load
from scanlatch.prove import cbor, hashes
from scanlatch.system.log import log

_PACKAGE = "/scanlatch"
_HEADER = const(5)  # bytes around a file's path
_MISSING = const(2)  # ENOENT
_FOLDER = const(0x4000)
_PIECE = const(1024)  # read between two looks at all else
_LOOK_MS = const(100)
_LOOKS = const(6_000)  # ten minutes, then a restart waits for nothing but the engine's silence
_QUIET_MS = const(2_000)


async def commit(work, digest):
    """Have the slot run from the next restart on. digest: SHA-256 of the manifest's message.

    Raises Refused, OSError: then what runs stays.
    """
    trial = load("system.trial")
    if trial.running() is None or trial.read()[trial.TRIAL] == trial.running():
        work.refuse("on trial" if trial.running() else "no slots: provision this terminal again")
    message = trial.stored().read_file(work.manifest)
    if message is None or hashes.sha256(message) != digest:
        work.refuse("no update begun")
    manifest = cbor.loads(cbor.loads(message).value[2])
    slot = trial.other()
    at, count, found = await _read(slot)
    if at < manifest[5]:
        work.refuse("not at %d" % at, {"at": at})
    if (at, count, found) != (manifest[5], manifest[8], manifest[6]):
        os.remove(work.manifest)  # so the next begins anew
        work.refuse("content: not what was signed")
    await work.quiet()
    with open(slot + "/whole", "wb"):
        pass
    ready = trial.ENGINE if work.terminal.told["engine"] else trial.NONE
    trial.write([trial.running(), slot, "0", str(manifest[3]), ready])


async def _read(slot):
    # (bytes, files, SHA-256) of the content, as it lies in the slot.
    seen, piece = hashlib.sha256(), bytearray(_PIECE)
    at = count = 0
    for path, taken in content(slot):
        name = path[len(slot) + 1 :].encode()
        size = os.stat(path)[6]
        seen.update(bytes((len(name),)) + name + size.to_bytes(4, "big"))
        with open(path, "rb") as file:
            while True:
                got = file.readinto(piece)
                if not got:
                    break
                seen.update(memoryview(piece)[:got])
                await asyncio.sleep_ms(0)
        at += taken
        count += 1
    return at, count, seen.digest()


def content(slot):
    """(Path, bytes that it takes of the content) of each file in a slot, in the content's order."""
    for path in walk(slot + _PACKAGE):
        yield path, _HEADER + len(path) - len(slot) - 1 + os.stat(path)[6]


def walk(folder):
    """Paths of all files below `folder`, in the order of their bytes; none where it is missing."""
    try:
        names = sorted([entry[0] + ("/" if entry[1] == _FOLDER else "") for entry in os.ilistdir(folder)])
    except OSError as error:
        if error.args[0] != _MISSING:
            raise
        return
    for name in names:
        if name.endswith("/"):
            yield from walk(folder + "/" + name[:-1])
        else:
            yield folder + "/" + name


async def restart(work):
    """Restart the terminal once its reply is out and nobody is at work, so that nothing is needed that memory holds."""
    terminal = work.terminal
    uplink, session = terminal.uplink, terminal.session
    for _ in range(_LOOKS):
        out = uplink._replies or (uplink.client and uplink.client.out)
        busy = terminal.answers.attention or session.opened or session.chosen or session.operator
        if not out and not busy and terminal.engine.quiet_ms() >= _QUIET_MS:
            break
        await asyncio.sleep_ms(_LOOK_MS)
    await work.quiet()
    log("restart", cause="update")
    terminal.restart()
