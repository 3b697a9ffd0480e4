"""A scan and a head as the contract's deterministic CBOR; a scan's number read back from its message."""

from micropython import const

from scanlatch.prove import cbor

# What each kind of message is bound to (external_aad of RFC 9052).
AAD_SCAN = b"scanlatch/1/scan"
AAD_HEAD = b"scanlatch/1/head"
AAD_VERDICT = b"scanlatch/1/verdict"
AAD_RECEIPT = b"scanlatch/1/receipt"
AAD_CREDENTIAL = b"scanlatch/1/credential"
AAD_COMMAND = b"scanlatch/1/command"
AAD_REPLY = b"scanlatch/1/reply"

NO_DIGEST = bytes(32)  # before the first record

OPERATION_VOID = const(7)

_VERSION = const(1)
_LONGEST_DATA = const(512)
_LONGEST_NAME = const(32)
_LONGEST_AIM = const(16)  # ours: the identifier has 3 characters
_MOST_MISSING = const(16)
_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
_SITE = "abcdefghijklmnopqrstuvwxyz0123456789-"
_FEWEST_KEYS = const(13)  # of a scan; a head has 9
_MOST_KEYS = const(16)
_SIGNATURE = const(64)


class RecordError(ValueError):
    """A value that the contract does not allow; `field` names it."""

    def __init__(self, field):
        super().__init__(field)
        self.field = field


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
    _need("site", _named(site, _SITE))
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
        _need("session", _named(session, _NAME))
        content[12] = session
    if operator is not None:
        _need("operator", _named(operator, _NAME))
        content[13] = operator
    if target is not None:
        content[16] = target
    return cbor.dumps(content)


def head(boot, connection, uptime, newest, digest, oldest, missing, firmware):
    """Payload of a head: newest 0, `digest` NO_DIGEST where there is no record; missing [[from, to], ...]."""
    _need("digest", len(digest) == 32)
    return cbor.dumps(
        {
            1: _VERSION,
            2: boot,
            3: connection,
            4: uptime,
            5: newest,
            6: digest,
            7: oldest,
            8: missing[:_MOST_MISSING],
            9: firmware,
        }
    )


def seq_of(message):
    """The seq in a scan's COSE_Sign1 bytes; only its frame and first keys are read. Raises RecordError."""
    try:
        at = _content(message, 0, 6, 18)  # tag of COSE_Sign1
        at = _content(message, at, 4, 4)
        at = _skip_bytes(message, at)  # protected header
        at = _content(message, at, 5, 0)
        major, size, payload = cbor.head(message, at)
        end = _content(message, payload + size, 2, _SIGNATURE)
        pairs, keys, at = cbor.head(message, payload)
        at = _content(message, at, 0, 1)  # key 1
        at = _content(message, at, 0, _VERSION)
        at = _content(message, at, 0, 2)  # key 2
        kind, seq, at = cbor.head(message, at)
    except cbor.CborError:
        raise RecordError("frame")
    _need("frame", major == 2 and end + _SIGNATURE == len(message))
    _need("payload", pairs == 5 and _FEWEST_KEYS <= keys <= _MOST_KEYS and at <= payload + size)
    _need("seq", kind == 0 and 0 < seq < 1 << 63)
    return seq


def _content(message, at, major, argument):
    """Where the content begins of an item that must be just this."""
    found, value, at = cbor.head(message, at)
    _need("frame", found == major and value == argument)
    return at


def _skip_bytes(message, at):
    major, size, at = cbor.head(message, at)
    _need("frame", major == 2)
    return at + size


def _named(text, alphabet):
    return 0 < len(text) <= _LONGEST_NAME and all(char in alphabet for char in text)


def _need(field, holds):
    if not holds:
        raise RecordError(field)
