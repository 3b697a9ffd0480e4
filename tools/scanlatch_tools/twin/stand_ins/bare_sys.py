# What stands for `sys` on a bare board: its `implementation` names the chip's module, as a board's does.
import os
import sys


class Implementation:
    _machine = os.getenv("SCANLATCH_BARE_MACHINE")

    def __getattr__(self, name):
        return getattr(sys.implementation, name)


_told = Implementation()


def __getattr__(name):
    return _told if name == "implementation" else getattr(sys, name)
