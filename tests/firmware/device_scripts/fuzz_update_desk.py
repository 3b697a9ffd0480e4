"""Foreign bytes for what changes a terminal: an update's manifest and content, a renewed certificate; as fuzz_desk."""

import os
import sys

from update_desk import CONTENT, KEY, MESSAGE, OLD, Started, held, packed  # isort: skip  # it stands in for the chip
from scanlatch.prove import cose, hashes, keys, rfc6979
from scanlatch.system import certificate

_AAD = b"scanlatch/1/update"


def met_manifest(data):
    """As a message, and where that is refused as what the release key signed."""
    with Started() as terminal:
        said = [_result(terminal.begin(data)), _result(terminal.begin(_signed(data)))]
        _unharmed()
    return "ok" if "ok" in said else said[1]


def met_content(data):
    with Started() as terminal:
        if terminal.begin(MESSAGE)[0] != "ok":
            raise AssertionError("the manifest is right")
        said = _result(terminal.chunk(0, data))
        if said == "ok" and terminal.state[1] < len(CONTENT):
            _result(terminal.chunk(terminal.state[1], data))
        _result(terminal.commit(MESSAGE))
        _unharmed()
    return said


def met_delivery(data):
    """All of an update: length of its manifest's message (16 bits), the message, the content."""
    size = int.from_bytes(data[:2], "big")
    message, content = data[2 : 2 + size], data[2 + size :]
    with Started() as terminal:
        result, details = terminal.begin(message)
        while result == "ok" and details["at"] < len(content):
            result, details = terminal.chunk(details["at"], content[details["at"] : details["at"] + 1024])
        if result == "ok":
            result, details = terminal.commit(message)
        _unharmed(taken=result == "ok")
        if result == "ok" and packed(held("b")) != content:
            raise AssertionError("what was taken is not what was sent")
    return _result((result, details))


def met_certificate(data):
    try:
        certificate._read(data)
    except (IndexError, ValueError):
        return "refused"
    return "ok"


def _signed(payload):
    kid = hashes.sha256(keys.public_key(KEY))[:8]
    return cose.sign1(kid, payload, _AAD, lambda message: rfc6979.sign(KEY, hashes.sha256(message)))


def _result(done):
    # "ok" or the first word of what was refused.
    result, details = done
    if not isinstance(result, str) or not isinstance(details, dict) or len(result) > 256:
        raise AssertionError(repr(done))
    return result.split()[0].rstrip(":")


def _unharmed(taken=False):
    # Slot a is as it was, the other starts next only where it was taken, and nothing lies outside of it.
    if ("whole" in os.listdir("b") if "b" in os.listdir() else False) != taken:
        raise AssertionError("the other slot is whole, and was not taken")
    if held("a") != OLD:
        raise AssertionError("the slot that runs was written")
    found = [name for name in os.listdir() if name not in ("a", "b", "slot", "update")]
    if found:
        raise AssertionError(repr(found))


def serve():
    """Answer standard input until it ends: kind, a blank, bytes in hex."""
    for line in sys.stdin:
        kind, _, data = line.strip().partition(" ")
        print(globals()["met_" + kind](bytes.fromhex(data)))
