# What the chip does at power on: runs boot.py, then main.py, as files of its file system.
import micropython
from twin_trace import load


def __getattr__(name):
    # This module stands for `micropython` too, with what the ESP32's has and a computer's lacks; `int` does nothing.
    return int if name == "alloc_emergency_exception_buf" else getattr(micropython, name)


try:
    load("twin_start", "boot")()
    exec(*load("twin_start", "program")("main"))
except BaseException as error:
    load("twin_start", "over")(error)
load("twin_start", "over")(None)
