# What is in force at a capture: operation, session, operator.
import json


class Session:
    """What the next record carries; `modes` changes it. Sessions alone outlive a restart, until their `until`.

    operation: the terminal's own, from its settings.
    """

    def __init__(self, operation, clock, nvs):
        self.usual = self.operation = operation
        self.chosen = None  # the operation that a control code asked for
        self.operator = None
        self.opened = None  # [id, kind, until UTC ms]
        self.used_ms = 0  # when something was read last
        self.asked = 0  # number of the credential that waits for its session, or 0
        self._clock = clock
        try:
            ident, kind, until = json.loads(nvs.get_bytes("session") or b"[0,0,0]")
            if isinstance(ident, str) and isinstance(kind, str) and isinstance(until, int):
                self.opened = [ident, kind, until]
        except (ValueError, TypeError, OSError):  # the next session replaces it
            pass
        self.due_ms = 0 if self.opened else None  # when it is to be looked whether something has lapsed, or None

    def session(self):
        """Id of the session in force, or None."""
        if self.opened is None:
            return None
        now, quality = self._clock.now()
        # A clock that was never set can't tell whether the session is over.
        return self.opened[0] if quality and now < self.opened[2] else None
