# NeoPixel lights: what they show goes to the trace.
from machine import check_pin
from twin_trace import line


class NeoPixel:
    def __init__(self, pin, n):
        check_pin(pin, True)
        self.n = n
        self._colours = [(0, 0, 0)] * n
        self._shown = None

    def __setitem__(self, index, colour):
        if len(colour) != 3:
            raise ValueError("colour")
        for part in colour:
            if not isinstance(part, int) or not 0 <= part <= 255:
                raise ValueError("colour")
        self._colours[index] = tuple(colour)

    def fill(self, colour):
        for i in range(self.n):
            self[i] = colour

    def write(self):
        shown = self._colours[:]
        if self._shown != shown:
            self._shown = shown
            more = {} if shown.count(shown[0]) == self.n else {"all": shown}
            line("light", rgb=shown[0], **more)
