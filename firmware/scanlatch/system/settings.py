# Settings: one JSON file, every key known, every value of its type.
from micropython import const
import json

from scanlatch.keep import files

PATH = "settings.json"
SALE, RETURN, RECEIVE, STOCK_TAKE, QUERY, DISPATCH = 1, 2, 3, 4, 5, 6
OPERATIONS = {
    "sale": SALE,
    "return": RETURN,
    "receive": RECEIVE,
    "stock-take": STOCK_TAKE,
    "query": QUERY,
    "dispatch": DISPATCH,
}
# key -> type, or a table of the keys below it. A trailing "?" on the key: may be absent.
_KNOWN = {
    "v": int,
    "site": str,
    "device": str,
    "operation": str,
    "ntp?": str,
    "rescan_ms?": int,
    "mode_back_s?": int,
    "badge_s?": int,
    "warn_hours?": int,
    "lock_days?": int,
    "broker": {"host": str, "port": int, "name": str, "not_before?": int, "not_after?": int},
    "rules?": {"first_digit?": str, "own?": list, "personal?": list, "links?": list, "token?": str},
    "wifi?": {"ssid": str},
    "release_key?": str,  # its public point in hex: whose updates this terminal takes
    "board": dict,  # held against its own schema where it is made; the board's parts check what they use
}

_RANGES = {
    "rescan_ms": (0, 60_000),
    "mode_back_s": (5, 86_400),
    "badge_s": (60, 86_400),
    "warn_hours": (2, 720),  # heads, and so the bridge's answers, come hourly where nobody scans
    "lock_days": (1, 365),
}
_TOKEN_SIZE = const(6)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: none looks like another
_PATTERNS = const(("own", "personal", "links"))


class SettingsError(Exception):
    """A setting is unknown, missing or of the wrong type: key, and what to do about it."""

    def __init__(self, key, advice):
        super().__init__(key, advice)
        self.key = key
        self.advice = advice


def load(path=PATH):
    """The settings of this terminal, or None where it has none yet (not provisioned).

    Raises SettingsError; OSError where the file is damaged.
    """
    raw = files.read_file(path)
    if raw is None:
        return None
    try:
        found = json.loads(raw)
    except ValueError:
        raise SettingsError(path, "is not JSON: provision this terminal again")
    check(found)
    return found


def save(settings, path=PATH):
    """Check, then store atomically. Raises SettingsError, OSError."""
    check(settings)
    files.write_file(path, json.dumps(settings).encode())


def check(settings):
    """Raises SettingsError at the first key that is not as it must be. Takes optional keys out that are null."""
    _check(settings, _KNOWN, "")
    if settings["v"] != 1:
        raise SettingsError("v", "must be 1")
    if settings["operation"] not in OPERATIONS:
        raise SettingsError("operation", "must be one of " + ", ".join(sorted(OPERATIONS)))
    for key in ("site", "device"):
        if not _is_name(settings[key]):
            raise SettingsError(key, "must be 1 to 32 of a-z 0-9 -")
    for key, (low, high) in _RANGES.items():
        if not low <= settings.get(key, low) <= high:
            raise SettingsError(key, "must lie between %d and %d" % (low, high))
    rules = settings.get("rules", {})
    for key in _PATTERNS:
        if not all(isinstance(pattern, str) and pattern for pattern in rules.get(key, ())):
            raise SettingsError("rules." + key, "must be a list of patterns")
    token = rules.get("token")
    if token is not None and (len(token) != _TOKEN_SIZE or not all(c in _CROCKFORD for c in token)):
        raise SettingsError("rules.token", "must be 6 of " + _CROCKFORD)


def _check(values, known, where):
    if not isinstance(values, dict):
        raise SettingsError(where or "settings", "must be a table")
    for key in values:
        if key not in known and key + "?" not in known:
            raise SettingsError(where + key, "is not known; did you mean " + where + _nearest(key, known) + "?")
    for key, kind in known.items():
        optional = key.endswith("?")
        key = key.rstrip("?")
        value = values.get(key)
        if value is None:
            if optional:
                values.pop(key, None)  # null says the same as nothing: later only presence is asked
                continue
            raise SettingsError(where + key, "is missing")
        if isinstance(kind, dict):
            _check(value, kind, where + key + ".")
        elif not isinstance(value, kind) or isinstance(value, bool):
            raise SettingsError(where + key, "must be " + kind.__name__)


def _is_name(text):
    return 1 <= len(text) <= 32 and all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in text)


def _nearest(key, known):
    # Most letters in common, then the closest length: enough to catch a typing mistake.
    best, best_score = "", -1000
    for name in known:
        name = name.rstrip("?")
        score = 2 * sum(1 for c in key if c in name) - abs(len(name) - len(key))
        if name[:1] == key[:1]:
            score += 2
        if score > best_score:
            best, best_score = name, score
    return best
