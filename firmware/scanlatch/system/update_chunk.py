# The content of an update: what arrives goes into its slot, and where it ended before. Loaded for each chunk.
# pyright: reportOptionalSubscript=false
import os

from micropython import const

_PACKAGE = "/scanlatch"
_PART = "/part"  # a file of the content while it arrives, in its slot
_NEXT = "/next"  # its header, where that takes more than one chunk
_MOST_CHUNK = const(1024)
_LONGEST_PATH = const(64)
_LARGEST_FILE = const(65_536)
_HEADER = const(5)  # bytes around a file's path
_MISSING = const(2)  # ENOENT
_EXISTS = const(17)  # EEXIST


def resumed(work, slot, at, size):
    """State of a content of `size` bytes, of which whole files make `at`; a part of the next one may be there."""
    state = [slot, at, "", 0, size]
    try:
        with open(slot + _NEXT, "rb") as file:
            header = file.read()
        left = os.stat(slot + _PART)[6]
        if not header:  # the power failed before it was there
            return state
        path = _path(work, header[1:-4])
    except OSError:  # there is none
        return state
    try:
        os.stat(slot + path)
        return state  # it was named since
    except OSError as error:
        if error.args[0] != _MISSING:
            raise
    state[1:4] = at + len(header) + left, path, int.from_bytes(header[-4:], "big") - left
    if not state[3]:
        _name(state)
    return state


async def take(work, state, at, data):
    """Take the content's bytes from offset `at` on, up to the last whole header. Raises Refused, OSError."""
    if state is None:
        work.refuse("no update begun")
    if not isinstance(data, bytes) or not 0 < len(data) <= _MOST_CHUNK:
        work.refuse("content: 1 to 1024 bytes at once", None, state)
    if at != state[1]:
        work.refuse("not at %d" % state[1], {"at": state[1]}, state)
    here = size = 0
    while here < len(data):
        begins = not state[2]
        if begins:
            size = _header(work, data, here, state)
            if not size:
                break
            here += size
        piece = data[here : here + state[3]]
        await _write(work, state, piece, data[here - size : here] if begins else None)
        here += len(piece)
    if state[1] == at:
        work.refuse("content: chunk too short", None, state)


def _header(work, data, here, state):
    # Bytes of the header at `here`, 0 where its end is not there yet; the file that it names is what arrives now.
    size = _HEADER + data[here]
    if here + size > len(data):
        return 0
    path = _path(work, data[here + 1 : here + size - 4])
    left = int.from_bytes(data[here + size - 4 : here + size], "big")
    if left > _LARGEST_FILE or state[1] + size + left > state[4]:
        work.refuse("content: longer than it may be")
    state[1] += size
    state[2], state[3] = path, left
    return size


def _path(work, raw):
    for byte in raw:
        if not (48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte in b"_./-"):
            work.refuse("content: path")
    path = "/" + raw.decode()
    if len(path) > _LONGEST_PATH or not path.startswith(_PACKAGE + "/"):
        work.refuse("content: path")
    for part in path.split("/")[1:]:
        if part in ("", ".", ".."):
            work.refuse("content: path")
    return path


async def _write(work, state, piece, header):
    # The next bytes of the file that arrives; header: where they are its first.
    slot = state[0]
    await work.quiet()
    with open(slot + _PART, "wb" if header else "ab") as file:
        file.write(piece)
    state[1] += len(piece)
    state[3] -= len(piece)
    if not state[3]:
        _name(state)
    elif header:
        with open(slot + _NEXT, "wb") as file:
            file.write(header)


def _name(state):
    # The file that arrived is whole.
    slot, path = state[0], state[2]
    at = path.find("/", 1)
    while at > 0:
        try:
            os.mkdir(slot + path[:at])
        except OSError as error:
            if error.args[0] != _EXISTS:
                raise
        at = path.find("/", at + 1)
    os.rename(slot + _PART, slot + path)
    state[2] = ""
