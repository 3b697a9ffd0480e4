"""A head, which says where the chain ends, as the contract's deterministic CBOR. Loaded for each."""

from micropython import const

from scanlatch.prove import cbor
from scanlatch.prove.record import RecordError

AAD_HEAD = b"scanlatch/1/head"

_VERSION = const(1)
_MOST_MISSING = const(16)


def payload(boot, connection, uptime, newest, digest, oldest, missing, firmware):
    """Payload of a head: newest 0, `digest` NO_DIGEST where there is no record; missing [[from, to], ...].

    Raises RecordError: nothing outside the contract is ever signed.
    """
    if len(digest) != 32:
        raise RecordError("digest")
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
