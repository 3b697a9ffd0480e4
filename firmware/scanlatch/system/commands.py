# Commands of the bridge: authenticated, in order, once each. Loaded for each.
from scanlatch import load
from scanlatch.prove import cbor, cose
from scanlatch.send.verdict import opened
from scanlatch.system.clock import NEVER_SET

AAD_COMMAND = b"scanlatch/1/command"
AAD_REPLY = b"scanlatch/1/reply"
_ANY_TIME = ("identify", "health")  # allowed where the clock was never set
# What has a module of its own: carry_out(name, arguments, terminal, counter, store) returns (result, details); None for
# the result: it replies by itself, later. store: [terminal.nvs], taken out by whoever wants it, or wants its room.
_RARE = {
    "bridge-key": "bridge_key",
    "restart": "change",
    "retire": "retire",
    "session": "change",
    "settings": "change",
    "update-begin": "update",
    "update-chunk": "update",
    "update-commit": "update",
}


def handle(message, terminal):
    """One message of topic `command`. Returns the reply's bytes, or None where it was not the bridge's.

    terminal: device, keys (of the bridge, see verdict.opened), nvs, clock, health, and what the commands act on.
    """
    try:
        body = opened(message, AAD_COMMAND, terminal.keys)
    except cose.CoseError:
        terminal.health.count("mac_failures")
        return None
    if not _is_command(body):
        terminal.health.count("malformed")
        return None
    last, details = 0, {}
    try:
        store = [terminal.nvs]
        last = store[0].get_int("command") or 0
        result = _refusal(body, last, terminal)
        if result is None:
            rare = load("system." + _RARE[body[3]]) if body[3] in _RARE else None  # for want of room it comes again
            store[0].set_int("command", body[2])  # before it acts: a command is never carried out twice
            last = body[2]
            if rare:
                result, details = rare.carry_out(body[3], body[4], terminal, last, store)
            else:
                result = _carry_out(body[3], body[4], terminal)
    except OSError as fault:
        result = "store: " + str(fault)
    except MemoryError:
        if last < body[2]:
            raise  # the broker gives it again
        result = "memory"
    return None if result is None else _replied(terminal, body[2], result, last, details)


def reply(terminal, counter, result, details):
    """What became of the command with this counter, told later."""
    uplink = terminal.uplink
    uplink._replies.append(_replied(terminal, counter, result, counter, details))
    uplink.wake()


def _replied(terminal, counter, result, last, details):
    reply = cbor.dumps({1: 1, 2: counter, 3: result, 4: last, 5: details})
    return cose.mac0(terminal.device.encode(), reply, AAD_REPLY, terminal.keys[1])


def _refusal(body, last, terminal):
    # Why a command does not count; else None.
    if body[2] <= last:
        return "counter is not above the last"
    name = body[3]
    if name not in ("identify", "acknowledge", "health", "resend") and name not in _RARE:
        return "not known: " + name[:32]
    now, quality = terminal.clock.now()
    if quality == NEVER_SET:
        return None if name in _ANY_TIME else "clock was never set"
    if now > body[5]:
        return "came too late"
    # One of an update at a time: there is no room for the programs of two.
    return "busy" if name.startswith("update-") and getattr(terminal, "update", None) is True else None


def _carry_out(name, arguments, terminal):
    if name == "identify":
        terminal.indicator.show("identify")
        return "ok"
    if name == "acknowledge":
        return terminal.answers.acknowledge(arguments)
    uplink = terminal.uplink
    if name == "health":
        uplink.health_due = True
    else:
        first = arguments.get("from")
        if not isinstance(first, int) or isinstance(first, bool) or first < 1:
            return "from: a seq"
        uplink.records.again(first, terminal.journal.newest)
    uplink.wake()
    return "ok"


def _is_command(body):
    if not isinstance(body, dict) or len(body) != 5:
        return False
    for key in (1, 2, 5):
        value = body.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            return False
    return body[1] == 1 and isinstance(body.get(3), str) and isinstance(body.get(4), dict)
