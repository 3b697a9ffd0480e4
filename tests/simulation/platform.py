"""The settlement platform as it may be: strict about its books, and late, lost, doubled and wrong in its answers."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from host_bridge.settlement.port import Answer, Submission
from tests.simulation.scheduler import Scheduler

_ELSEWHERE = "elsewhere"


class Caller(Protocol):
    """The bridge that calls: time passes for it, and its power may fail."""

    def wait(self, ms: float) -> None: ...
    def step(self, where: str) -> None: ...


@dataclass
class Mood:
    """How the platform behaves; a world changes it as it goes on."""

    away: bool = False  # nothing can be reached
    lost: float = 0.0  # chance that a call's answer is lost, the call having been made or not
    odd: float = 0.0  # chance that an answer is mixed up, doubled or names what nobody asked
    slow: float = 0.0  # chance of a call that takes long
    slow_ms: float = 8_000.0


class Platform:
    """What it has taken stands for ever under its key."""

    batch_limit = 8
    code_limit = 100
    silence_s = 1.0

    def __init__(self, scheduler: Scheduler, chance: random.Random, mood: Mood, alarm: Callable[[str], None]) -> None:
        self._scheduler = scheduler
        self._chance = chance
        self._mood = mood
        self._alarm = alarm
        self.taken: dict[str, Submission] = {}
        self.refused: dict[str, Answer] = {}
        self.holder: dict[str, str] = {}  # code -> key of the sale that stands
        self.may_submit: dict[str, bool] = {}  # key -> whether it is safe to send it again
        self.calls = 0

    def sell_elsewhere(self, code: str) -> None:
        """Somebody who is none of ours has sold it."""
        self.holder[code] = _ELSEWHERE

    def submit(self, items: Sequence[Submission], caller: Caller) -> list[Answer]:
        """See settlement.port.Platform."""
        self.calls += 1
        for item in items:
            if not self.may_submit.get(item.key, True):
                self._alarm(f"{item.key} was submitted again though it may have been taken, and was not asked about")
            self.may_submit[item.key] = False
        caller.step("submit")
        mood, chance = self._mood, self._chance
        lost, late = chance.random() < mood.lost, chance.random() < mood.lost
        if mood.away:
            caller.wait(50)
            for item in items:  # a connection that never was: but the bridge can't know
                self.may_submit[item.key] = False
            return [Answer(item.key, "unknown", 14) for item in items]
        if lost and late:  # it arrives when nobody waits for it any more
            self._scheduler.after(chance.uniform(1_000, 4_000), lambda: [self._take(item) for item in items] and None)
        answers = [] if (lost and late) or (lost and chance.random() < 0.5) else [self._take(item) for item in items]
        caller.wait(self._time())
        caller.step("submitted")
        if lost:
            return [Answer(item.key, "unknown", 15) for item in items]
        for item in items:
            self.may_submit[item.key] = False
        return self._mixed(answers)

    def ask(self, keys: Sequence[str], caller: Caller) -> list[Answer]:
        """See settlement.port.Platform."""
        self.calls += 1
        caller.step("ask")
        if self._mood.away or self._chance.random() < self._mood.lost:
            caller.wait(50)
            return [Answer(key, "unknown", 14) for key in keys]
        caller.wait(self._time())
        answers = [self._became(key) for key in keys]
        for answer in answers:
            if answer.outcome == "unseen":
                self.may_submit[answer.key] = True
        return self._mixed(answers)

    def standing(self) -> dict[str, str]:
        """Code -> key of our sale that stands."""
        return {code: key for code, key in self.holder.items() if key != _ELSEWHERE}

    def _time(self) -> float:
        mood, chance = self._mood, self._chance
        return chance.uniform(500, mood.slow_ms) if chance.random() < mood.slow else chance.uniform(5, 60)

    def _mixed(self, answers: list[Answer]) -> list[Answer]:
        if self._chance.random() < self._mood.odd:
            answers = [*answers, answers[0], Answer("d-nobody/1", "refused", 13)]
            self._chance.shuffle(answers)
        return answers

    def _take(self, item: Submission) -> Answer:
        if item.key in self.taken or item.key in self.refused:
            return self._became(item.key)
        holder = self.holder.get(item.code)
        if item.kind == "query":
            return Answer(item.key, "accepted") if holder is None else Answer(item.key, "refused", 2)
        if item.kind == "reverse":
            if holder != item.reverses:
                return self._refuse(item, 13)
            del self.holder[item.code]
        elif holder is not None:
            if holder != _ELSEWHERE:
                self._alarm(f"{item.code} was submitted for {item.key} while the sale of {holder} stood")
            return self._refuse(item, 2)
        else:
            self.holder[item.code] = item.key
        self.taken[item.key] = item
        return Answer(item.key, "accepted")

    def _refuse(self, item: Submission, reason: int) -> Answer:
        self.refused[item.key] = Answer(item.key, "refused", reason)
        return self.refused[item.key]

    def _became(self, key: str) -> Answer:
        if key in self.taken:
            return Answer(key, "accepted")
        return self.refused.get(key, Answer(key, "unseen"))
