# The ESP32's module `esp32`; what is in it comes from twin_esp32.
import twin_trace


def __getattr__(name):
    return twin_trace.load("twin_esp32", name)
