# What is in force at a capture: operation, session, operator.
import json

from scanlatch.keep.store import StoreFault


class Session:
    """Operation, session and operator that the next record carries. Sessions outlive a restart until their `until`."""

    def __init__(self, operation, clock, nvs):
        self.operation = operation
        self.operator = None
        self.opened = None  # [id, kind, until UTC ms]
        self._clock = clock
        try:
            self.opened = json.loads(nvs.get_bytes("session") or b"null")
        except (ValueError, StoreFault):  # the next session replaces it
            pass

    def session(self):
        """Id of the session in force, or None."""
        if self.opened is None:
            return None
        now, quality = self._clock.now()
        # A clock that was never set can't tell whether the session is over.
        return self.opened[0] if quality and now < self.opened[2] else None
