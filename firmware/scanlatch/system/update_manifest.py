# Who signed the manifest of an update: its message opened where the site's release key did. Loaded for each.
# pyright: reportAttributeAccessIssue=false
import asyncio

from micropython import const

from scanlatch import load
from scanlatch.prove import cbor, hashes

_AAD = const(b"scanlatch/1/update")
_MOST = const(512)  # bytes of a manifest's message
_SIGN1 = const(18)
_KID_SIZE = const(8)


async def verified(work, message):
    """(What a manifest says, the highest counter that ran here). Raises Refused, OSError.

    work: system.update's, whose `refuse` raises.
    """
    highest = _highest(work)
    return await _opened(work, message), highest


def _highest(work):
    trial = load("system.trial")
    if trial.running() is None:
        work.refuse("no slots: provision this terminal again")
    if trial.read()[trial.TRIAL] == trial.running():
        work.refuse("on trial")
    return trial.highest(work.terminal)


async def _opened(work, message):
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
