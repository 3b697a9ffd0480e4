"""A bridge that dies at a chosen point: before a statement, before a commit, before and behind all that leaves it."""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy import event


class Died(BaseException):
    """The process is no more. Nothing of ours may catch it."""


class Points:
    """Counts the points that a run comes by, and lets it die at one of them; a context manager.

    `look` is given the number of each point before it is passed. `names` has a word for each that was: "statement",
    "commit", or what is about to leave or just came.
    """

    def __init__(self, *die_at: int, look: Callable[[int], None] | None = None) -> None:
        self._look = look
        self.names: list[str] = []
        self._die_at = frozenset(die_at)
        self.dead = False

    def __enter__(self) -> "Points":
        event.listen(sa.Engine, "before_cursor_execute", self._statement)
        event.listen(sa.Engine, "commit", self._commit)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(sa.Engine, "before_cursor_execute", self._statement)
        event.remove(sa.Engine, "commit", self._commit)

    def here(self, name: str) -> None:
        """The run is at a point. Raises Died where it dies here, and wherever it still comes once dead."""
        if self.dead:
            raise Died
        if self._look is not None:
            self._look(len(self.names))
        self.names.append(name)
        if len(self.names) - 1 in self._die_at:
            self.dead = True
            raise Died

    def reborn(self) -> None:
        """Another process begins."""
        self.dead = False

    def _statement(self, *_: object) -> None:
        self.here("statement")

    def _commit(self, _connection: object) -> None:
        self.here("commit")
