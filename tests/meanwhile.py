"""What goes on beside a test until it is told to stop, and fails the test where it failed."""

import threading
from abc import ABC, abstractmethod
from typing import Self


class Meanwhile(ABC):
    """A thread for as long as a `with` block; `work` looks at `over` between its steps."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._thread.join()
        if self.failed:
            raise self.failed[0]

    @abstractmethod
    def work(self) -> None:
        """Go on until `over` is set."""

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001  # told where the block ends
            self.failed.append(error)
