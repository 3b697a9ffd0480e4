# A light made of addressable LEDs (WS2812 and kin).
import machine
import neopixel


class Light:
    def __init__(self, config):
        self._count = config["count"]
        self._pixels = neopixel.NeoPixel(machine.Pin(config["pin"], machine.Pin.OUT), self._count)

    def colour(self, *rgb):
        """0 to 255 each."""
        for i in range(self._count):
            self._pixels[i] = rgb
        try:
            self._pixels.write()
        except OSError:  # the chip had no memory or no time for it; the next colour is written anew
            pass
