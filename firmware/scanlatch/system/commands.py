# Commands of the bridge: authenticated, in order, once each. Loaded for each.
import json

from scanlatch import load
from scanlatch.prove import cbor, cose
from scanlatch.send.verdict import opened
from scanlatch.system.clock import NEVER_SET

AAD_COMMAND = b"scanlatch/1/command"
AAD_REPLY = b"scanlatch/1/reply"
_ANY_TIME = ("identify", "health")  # allowed where the clock was never set
_KINDS = ("sale", "return", "receive", "stock-take", "query", "dispatch")
# What is rarer still has a module of its own: carry_out(name, arguments, terminal) returns (result, details);
# None for the result: it replies by itself, later.
_RARE = {
    "bridge-key": "bridge_key",
    "restart": "change",
    "retire": "retire",
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
        nvs = terminal.nvs
        last = nvs.get_int("command") or 0
        result = _refusal(body, last, terminal.clock)
        if result is None:
            rare = load("system." + _RARE[body[3]]) if body[3] in _RARE else None  # for want of room it comes again
            nvs.set_int("command", body[2])  # before it acts: a command is never carried out twice
            last = body[2]
            if rare:
                result, details = rare.carry_out(body[3], body[4], terminal)
            else:
                result = _carry_out(body[3], body[4], terminal, nvs)
    except OSError as fault:
        result = "store: " + str(fault)
    return None if result is None else _replied(terminal, body[2], result, last, details)


def reply(terminal, counter, result, details):
    """What became of the command with this counter, told later."""
    uplink = terminal.uplink
    uplink._replies.append(_replied(terminal, counter, result, counter, details))
    uplink.wake()


def _replied(terminal, counter, result, last, details):
    reply = cbor.dumps({1: 1, 2: counter, 3: result, 4: last, 5: details})
    return cose.mac0(terminal.device.encode(), reply, AAD_REPLY, terminal.keys[1])


def _refusal(body, last, clock):
    if body[2] <= last:
        return "counter is not above the last"
    if body[3] not in ("identify", "session", "acknowledge", "health", "resend") and body[3] not in _RARE:
        return "not known: " + body[3][:32]
    now, quality = clock.now()
    if quality == NEVER_SET:
        return None if body[3] in _ANY_TIME else "clock was never set"
    return "came too late" if now > body[5] else None


def _carry_out(name, arguments, terminal, nvs):
    if name == "identify":
        terminal.indicator.show("identify")
        return "ok"
    if name == "session":
        session = terminal.session
        result = open_session(session, nvs, arguments)
        if result == "ok":
            if session.asked:  # by a credential that was read just now
                session.asked = 0
                terminal.indicator.show("session_open" if session.opened else "session_refused")
            session.chosen = None
            try:
                load("system.modes").settle(terminal)
            except (MemoryError, OSError):  # the command counts, and won't come again
                session.due_ms = 0
        return result
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


def open_session(session, nvs, arguments):
    """Command `session` {id, kind, until}; an empty id ends it. Returns "ok" or what is wrong.

    Raises OSError; then the session before is still in force.
    """
    ident, kind, until = arguments.get("id"), arguments.get("kind"), arguments.get("until")
    if ident == "":
        nvs.erase("session")
        session.opened = None
        return "ok"
    if not is_ident(ident):
        return "id: 1 to 32 of A-Z a-z 0-9 -"
    if kind not in _KINDS:
        return "kind: one of " + ", ".join(_KINDS)
    if not isinstance(until, int) or isinstance(until, bool):
        return "until: UTC milliseconds"
    opened = [ident, kind, until]
    nvs.set_bytes("session", json.dumps(opened).encode())
    session.opened = opened
    return "ok"


def is_ident(text):
    """Whether `text` is 1 to 32 of A-Z a-z 0-9 - (WIRE: session, operator)."""
    if not isinstance(text, str) or not 0 < len(text) <= 32:
        return False
    return all("0" <= c <= "9" or "A" <= c <= "Z" or "a" <= c <= "z" or c == "-" for c in text)


def _is_command(body):
    if not isinstance(body, dict) or len(body) != 5:
        return False
    for key in (1, 2, 5):
        value = body.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            return False
    return body[1] == 1 and isinstance(body.get(3), str) and isinstance(body.get(4), dict)
