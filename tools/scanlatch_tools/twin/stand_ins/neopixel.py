# NeoPixel lights: what they show goes to the trace.
from twin_trace import line


class NeoPixel:
    def __init__(self, pin, n, bpp=3, timing=1):
        if bpp not in (3, 4):
            raise ValueError("bpp")
        pin.init(pin.OUT)
        self.pin = pin
        self.n = n
        self.bpp = bpp
        self._colours = [(0,) * bpp for _ in range(n)]
        self._shown = None

    def __len__(self):
        return self.n

    def __setitem__(self, index, colour):
        if len(colour) != self.bpp:
            raise ValueError("colour of %d parts" % len(colour))
        for part in colour:
            if not isinstance(part, int) or not 0 <= part <= 255:
                raise ValueError("colour %s" % (colour,))
        self._colours[index] = tuple(colour)

    def __getitem__(self, index):
        return self._colours[index]

    def fill(self, colour):
        for i in range(self.n):
            self[i] = colour

    def write(self):
        if self._shown != self._colours:
            self._shown = self._colours[:]
            if self._shown.count(self._shown[0]) == self.n:
                line("light", rgb=self._shown[0])
            else:
                line("light", rgb=self._shown[0], all=self._shown)
