"""What lies outside a bridge, for its tests: the settlement platform, and the broker that takes its messages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from host_bridge.settlement.port import Answer, Submission


class Platform:
    """The platform, an external system: takes every sale unless told otherwise, remembers every key."""

    def __init__(self, batch_limit: int = 50) -> None:
        self.batch_limit = batch_limit
        self.code_limit = 100
        self.silence_s = 1.0
        self.reachable = True
        self.loses_answers = False
        self.refuses: dict[str, int] = {}  # code -> reason
        self.refuses_reversals = False
        self.taken: dict[str, Submission] = {}
        self.refused: dict[str, int] = {}
        self.submitted: list[str] = []
        self.asked: list[str] = []

    def submit(self, items: Sequence[Submission]) -> list[Answer]:
        self.submitted += [item.key for item in items]
        if not self.reachable:
            return [Answer(item.key, "unknown", 14) for item in items]
        answers = [self._take(item) for item in items]
        return [Answer(one.key, "unknown", 15) for one in answers] if self.loses_answers else answers

    def ask(self, keys: Sequence[str]) -> list[Answer]:
        self.asked += keys
        if not self.reachable:
            return [Answer(key, "unknown", 14) for key in keys]
        return [self._became(key) for key in keys]

    def close(self) -> None:
        pass

    def sold(self, code: str) -> int:
        """How many sales of a code stand."""
        reversed_keys = {item.reverses for item in self.taken.values() if item.kind == "reverse"}
        return sum(
            item.kind == "sale" and item.code == code and item.key not in reversed_keys for item in self.taken.values()
        )

    def _take(self, item: Submission) -> Answer:
        if item.key in self.taken or item.key in self.refused:
            return self._became(item.key)
        reason = self.refuses.get(item.code, 0)
        if (reason and item.kind != "reverse") or (item.kind == "reverse" and self.refuses_reversals):
            self.refused[item.key] = reason or 13
            return Answer(item.key, "refused", reason or 13, "not with us")
        self.taken[item.key] = item
        return Answer(item.key, "accepted")

    def _became(self, key: str) -> Answer:
        if key in self.taken:
            return Answer(key, "accepted")
        return Answer(key, "refused", self.refused[key]) if key in self.refused else Answer(key, "unseen")


@dataclass
class Sent:
    topic: str
    payload: bytes
    done: Callable[[bool], None] | None


class Outlet:
    """Where the bridge's messages end: the broker acknowledges each unless it is told to be silent."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.silent = False
        self.refuses = False
        self.down = False

    def publish(self, topic: str, payload: bytes, done: Callable[[bool], None] | None) -> bool:
        if self.down:
            return False
        self.sent.append(Sent(topic, payload, done))
        if done is not None and not self.silent:
            done(not self.refuses)
        return True
