# The ESP32's module `network`; what is in it comes from twin_network.
import twin_trace


def __getattr__(name):
    return twin_trace.load("twin_network", name)
