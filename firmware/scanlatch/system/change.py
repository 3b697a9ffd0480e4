# Commands that change this terminal: `session`, `restart`, and `settings` that cannot lock it out. Loaded for each.
import json

from scanlatch import forget, load

# Whatever value of its range one of these has, the bridge still reaches this terminal and can set it back.
_OVER_THE_AIR = ("operation", "rescan_ms", "mode_back_s", "badge_s", "warn_hours", "lock_days")


def carry_out(name, arguments, terminal, _counter, store):
    """`settings` {}: tells the certificate in use; {certificate}: a new one; else values, and a restart."""
    if name == "session":
        return _session(terminal, store[0], arguments), {}
    store.clear()
    from scanlatch.keep import files

    try:
        later = load("system.later")  # first: what has no room is to change nothing
        if name == "restart":
            later.Later(terminal, True)
            return "ok", {}
        if not arguments:
            return "ok", {"certificate": files.read_file("device.der") or b"", "waiting": terminal.waiting}
        if "certificate" in arguments:
            result = load("system.certificate").take(terminal, arguments["certificate"])
            if result == "ok" and terminal.after is None:  # else it is a restart, which tries it too
                later.Later(terminal, False)
            return result, {}
        result = _set(arguments)
        if result == "ok":
            later.Later(terminal, True)
        return result, {}
    finally:
        forget(files)


def _session(terminal, nvs, arguments):
    # Told by light where a credential asked for it. Raises OSError.
    modes = load("system.modes")  # first: what has no room is to change nothing
    session = terminal.session
    result = open_session(session, nvs, arguments, modes)
    if result == "ok":
        if session.asked:  # by a credential that was read just now
            session.asked = 0
            terminal.indicator.show("session_open" if session.opened else "session_refused")
        session.chosen = None
        try:
            modes.settle(terminal)
        except MemoryError:  # the command counts, and won't come again: the next quiet moment does it
            pass
    return result


def open_session(session, nvs, arguments, modes):
    """Command `session` {id, kind, until}; an empty id ends it. Returns "ok" or what is wrong.

    Raises OSError; then the session before is still in force.
    """
    ident, kind, until = arguments.get("id"), arguments.get("kind"), arguments.get("until")
    if ident == "":
        nvs.erase("session")
        session.opened = None
        return "ok"
    if not modes.is_ident(ident):
        return "id: 1 to 32 of A-Z a-z 0-9 -"
    if kind not in modes.NAMES[1:]:
        return "kind: one of " + ", ".join(modes.NAMES[1:])
    if not isinstance(until, int) or isinstance(until, bool):
        return "until: UTC milliseconds"
    opened = [ident, kind, until]
    nvs.set_bytes("session", json.dumps(opened).encode())
    session.opened = opened
    return "ok"


def _set(values):
    settings = load("system.settings")
    found = settings.load()
    for key in values:
        if key not in _OVER_THE_AIR:
            return "not over the air: " + key[:32]
    found.update(values)
    try:
        settings.save(found)
    except settings.SettingsError as error:
        return str(error.key)[:32] + " " + error.advice[:128]
    return "ok"
