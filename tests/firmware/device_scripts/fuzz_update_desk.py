"""Foreign bytes for what changes a terminal: an update's manifest and content, a renewed certificate; as fuzz_desk."""

import os
import sys

from update_desk import CONTENT, KEY, MESSAGE, OLD, Started, held  # isort: skip  # it stands in for the chip
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


def _unharmed():
    # Slot a is as it was, it is what starts next, and nothing lies outside of the other slot.
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
