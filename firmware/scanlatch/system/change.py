# Commands that change this terminal: `restart`, and `settings` that cannot lock it out. Loaded for each.
from scanlatch import forget, load
from scanlatch.keep import files

# Whatever value of its range one of these has, the bridge still reaches this terminal and can set it back.
_OVER_THE_AIR = ("operation", "rescan_ms", "mode_back_s", "badge_s", "warn_hours", "lock_days")


def carry_out(name, arguments, terminal, _counter, store):
    """`settings` {}: tells the certificate in use; {certificate}: a new one; else values, and a restart."""
    store.clear()
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
