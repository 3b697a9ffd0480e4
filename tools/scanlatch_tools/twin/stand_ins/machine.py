# The ESP32's module `machine`; what is in it comes from twin_machine.
import twin_trace


def __getattr__(name):
    return twin_trace.load("twin_machine", name)
