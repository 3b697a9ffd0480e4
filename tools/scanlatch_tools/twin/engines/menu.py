"""An engine's settings that are set and asked for in text: what each may hold, holds, and holds without power."""

from collections.abc import Mapping
from dataclasses import dataclass

ACK, NAK, ENQ = b"\x06", b"\x15", b"\x05"  # done; out of range; not known


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: as delivered, and what it may hold: some words, a range of whole numbers, or pairs of hex digits.

    most: the longest text, in hex digits; 0: it is not hex.
    """

    delivered: str
    words: tuple[str, ...] = ()
    low: int = 0
    high: int = -1
    most: int = 0

    def allows(self, value: str) -> bool:
        """Whether it may hold `value`."""
        if self.most:
            pairs = not len(value) % 2 and all(digit in "0123456789ABCDEF" for digit in value)
            return pairs and len(value) <= self.most
        if self.words:
            return value in self.words
        return value.isascii() and value.isdigit() and self.low <= int(value) <= self.high

    @property
    def range(self) -> str:
        """What it may hold, as engines tell it: a dash is a range, a bar stands between single values."""
        if self.words:
            first, last = self.words[0], self.words[-1]
            digits = all(len(word) == 1 and word.isdigit() for word in self.words)
            if digits and int(last) - int(first) == len(self.words) - 1:
                return f"{first}-{last}"
            return "|".join(self.words)
        return f"0-{self.most}" if self.most else f"{self.low}-{self.high}"


def switch(delivered: int) -> Setting:
    """On or off."""
    return Setting(str(int(delivered)), words=("0", "1"))


class Menu:
    """Settings by name: `current` is gone with the power, `permanent` is not."""

    def __init__(self, settings: Mapping[str, Setting]) -> None:
        self._settings = settings
        self.permanent: dict[str, str] = {}
        self.current: dict[str, str] = {}
        self.deliver()

    def deliver(self) -> None:
        """As delivered, permanently."""
        self.permanent = {name: setting.delivered for name, setting in self._settings.items()}
        self.current = dict(self.permanent)

    def forget(self) -> None:
        """Power went, or a reset came: only what is permanent is left."""
        self.current = dict(self.permanent)

    def find(self, text: str) -> tuple[str, str] | None:
        """(name, what stands behind it) of the setting with which `text` begins; None where there is none."""
        for size in range(len(text), 0, -1):
            if text[:size] in self._settings:
                return text[:size], text[size:]
        return None

    def put(self, name: str, value: str, *, permanently: bool) -> bool:
        """Set it; False where it may not hold this."""
        if not self._settings[name].allows(value):
            return False
        self.current[name] = value
        if permanently:
            self.permanent[name] = value
        return True

    def told(self, name: str, query: str) -> str | None:
        """What is answered to a query: "current", "delivered" or "range"; None where it is none of them."""
        setting = self._settings[name]
        return {"current": self.current[name], "delivered": setting.delivered, "range": setting.range}.get(query)

    def on(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.current[name] == "1"

    def number(self, name: str) -> int:
        """A number that is set."""
        return int(self.current[name])
