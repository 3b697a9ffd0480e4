# The ESP32's module `neopixel`; what is in it comes from twin_machine.
import twin_trace


def NeoPixel(pin, n):  # noqa: N802 - a class on the chip
    return twin_trace.load("twin_machine", "NeoPixel")(pin, n)
