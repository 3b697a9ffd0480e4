# What is in force at a capture: operation, session, operator.
import json

from scanlatch.keep.store import StoreFault

_KINDS = ("sale", "return", "receive", "stock-take", "query", "dispatch")


class Session:
    """Operation, session and operator that the next record carries. Sessions outlive a restart until their `until`."""

    def __init__(self, operation, clock, nvs):
        self.operation = operation
        self.operator = None
        self._clock = clock
        self._nvs = nvs
        self._open = None  # [id, kind, until UTC ms]
        try:
            self._open = json.loads(nvs.get_bytes("session") or b"null")
        except (ValueError, StoreFault):  # the next session replaces it
            pass

    def session(self):
        """Id of the session in force, or None."""
        if self._open is None:
            return None
        now, quality = self._clock.now()
        # A clock that was never set can't tell whether the session is over.
        return self._open[0] if quality and now < self._open[2] else None

    def command(self, arguments):
        """Command `session` {id, kind, until}; an empty id ends it. Returns "ok" or what is wrong.

        Raises StoreFault; then the session before is still in force.
        """
        ident, kind, until = arguments.get("id"), arguments.get("kind"), arguments.get("until")
        if ident == "":
            self._nvs.erase("session")
            self._open = None
            return "ok"
        if not is_ident(ident):
            return "id: 1 to 32 of A-Z a-z 0-9 -"
        if kind not in _KINDS:
            return "kind: one of " + ", ".join(_KINDS)
        if not isinstance(until, int) or isinstance(until, bool):
            return "until: UTC milliseconds"
        opened = [ident, kind, until]
        self._nvs.set_bytes("session", json.dumps(opened).encode())
        self._open = opened
        return "ok"


def is_ident(text):
    """Whether `text` is 1 to 32 of A-Z a-z 0-9 - (WIRE: session, operator)."""
    if not isinstance(text, str) or not 0 < len(text) <= 32:
        return False
    return all("0" <= c <= "9" or "A" <= c <= "Z" or "a" <= c <= "z" or c == "-" for c in text)
