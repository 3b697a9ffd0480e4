"""A scan as the contract's deterministic CBOR."""

from micropython import const

from scanlatch.prove import cbor

# What each kind of message is bound to (external_aad of RFC 9052); heads and commands have theirs where these are made.
AAD_SCAN = b"scanlatch/1/scan"
AAD_VERDICT = b"scanlatch/1/verdict"
AAD_RECEIPT = b"scanlatch/1/receipt"

NO_DIGEST = bytes(32)  # before the first record

OPERATION_VOID = const(7)

_VERSION = const(1)
_LONGEST_DATA = const(512)
_LONGEST_NAME = const(32)
_LONGEST_AIM = const(16)  # ours: the identifier has 3 characters


class RecordError(ValueError):
    """A value that the contract does not allow; names its field."""


def scan(
    seq,
    prev,
    captured_at,
    clock,
    boot,
    uptime,
    operation,
    symbology,
    data,
    family,
    session,
    operator,
    offline,
    site,
    target,
):
    """Payload of a scan. Times in ms; session, operator and target None where there is none.

    Raises RecordError: nothing outside the contract is ever signed.
    """
    _need("seq", 0 < seq < 1 << 63)
    _need("prev", len(prev) == 32)
    _need("captured_at", 0 <= captured_at < 1 << 63)
    _need("clock", 0 <= clock <= 2)
    _need("boot", 0 <= boot < 1 << 32)
    _need("uptime", 0 <= uptime < 1 << 63)
    _need("operation", 1 <= operation <= 8)
    _need("symbology", len(symbology) <= _LONGEST_AIM)
    _need("data", 0 < len(data) <= _LONGEST_DATA)
    _need("family", 1 <= family <= 5)
    _need("site", _named(site) and site.lower() == site)
    _need("target", (target or 0) > 0 if operation == OPERATION_VOID else target is None)
    content = {
        1: _VERSION,
        2: seq,
        3: prev,
        4: captured_at,
        5: clock,
        6: boot,
        7: uptime,
        8: operation,
        9: symbology,
        10: data,
        11: family,
        14: bool(offline),
        15: site,
    }
    if session is not None:
        _need("session", _named(session))
        content[12] = session
    if operator is not None:
        _need("operator", _named(operator))
        content[13] = operator
    if target is not None:
        content[16] = target
    return cbor.dumps(content)


def _named(text):
    for char in text:
        if not ("a" <= char <= "z" or "A" <= char <= "Z" or "0" <= char <= "9" or char == "-"):
            return False
    return 0 < len(text) <= _LONGEST_NAME


def _need(field, holds):
    if not holds:
        raise RecordError(field)
