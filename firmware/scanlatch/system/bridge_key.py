# A new key of the bridge: kept beside the one in use until the bridge speaks under it. Loaded for each.
from scanlatch import load
from scanlatch.prove import cose, hashes
from scanlatch.system.log import log

_NEXT = "bridge_next"  # public point, MAC key, credential key in one value: all there, or nothing
_POINT, _MAC = 65, 97  # where each ends


def carry_out(_name, arguments, terminal, _counter, store):
    """Command `bridge-key` {public}: both sets are stored before the reply. Raises OSError."""
    public = arguments.get("public")
    if not isinstance(public, bytes):
        return "public: a point", {}
    nvs = store.pop()
    stored = nvs.get_bytes(_NEXT)
    if public == nvs.get_bytes("bridge"):  # it stays with the one in use
        terminal.keys[2] = None
        nvs.erase(_NEXT)
        return "ok", {}
    if stored is None or stored[:_POINT] != public:
        own = nvs.get_bytes("agree_key")
        nvs = None  # its room is wanted
        terminal.dog.feed()  # half a second of arithmetic
        try:
            keys = load("prove.keys").shared(own, public, terminal.device)
        except ValueError as error:
            return "public: " + str(error), {}
        terminal.nvs.set_bytes(_NEXT, public + keys[0] + keys[1])
    terminal.keys[2] = terminal.opened
    return "ok", {}


def opened(terminal, message, aad):
    """What a message under the new key says: the first such drops the old key. Raises CoseError, OSError."""
    nvs, keys = terminal.nvs, terminal.keys
    stored = nvs.get_bytes(_NEXT)
    if stored is None:
        raise cose.CoseError("header")
    public, mac_key = stored[:_POINT], stored[_POINT:_MAC]
    kid = hashes.sha256(public)[:8]
    body = cose.open_mac0(message, aad, mac_key, kid)
    keys[0], keys[1], keys[2] = kid, mac_key, None
    try:  # cut anywhere: the new set is whole until the last step, and the next message under it goes on here
        nvs.set_bytes("cred_key", stored[_MAC:])
        nvs.set_bytes("mac_key", mac_key)
        nvs.set_bytes("bridge", public)
        nvs.erase(_NEXT)
    except OSError as error:
        log("bridge_key", error=repr(error))
    return body
