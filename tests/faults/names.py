"""A name server that can be taken away: for a terminal beside its stand-ins, for the bridge ahead of its libraries."""

import os
import shutil
from pathlib import Path

import pytest
from scanlatch_tools.twin.device import Twin

# MicroPython's: file `names` in the terminal's folder says 0 while nobody answers.
_ON_THE_TERMINAL = """\
import usocket
from twin_trace import look


def __getattr__(name):
    return getattr(usocket, name)


def getaddrinfo(host, *rest):
    if host.endswith(".example"):
        if look("/names") == "0":
            raise OSError(-2)
        host = "127.0.0.1"
    return usocket.getaddrinfo(host, *rest)
"""
# CPython's: Python runs a file of this name ahead of everything.
_ON_THE_HOST = """\
import os, socket

_real = socket.getaddrinfo


def _found(host, *rest, **more):
    if str(host).endswith(".example"):
        if os.path.exists(os.environ["NO_NAMES"]):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        host = "127.0.0.1"
    return _real(host, *rest, **more)


socket.getaddrinfo = _found
"""


class Names:
    """Every name below .example is this machine, until it is taken away."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._gone = folder / "no-names"
        self._twins: list[Twin] = []
        (folder / "ahead").mkdir()
        (folder / "ahead" / "sitecustomize.py").write_text(_ON_THE_HOST)
        patch.setenv("NO_NAMES", str(self._gone))
        patch.setenv("PYTHONPATH", f"{folder / 'ahead'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def serve(self, twin: Twin) -> None:
        """A terminal asks here from its next start on."""
        stand_ins = twin.folder / "stand_ins"
        theirs = stand_ins.resolve()
        stand_ins.unlink()
        shutil.copytree(theirs, stand_ins)
        (stand_ins / "socket.py").write_text(_ON_THE_TERMINAL)
        self._twins.append(twin)

    def take(self) -> None:
        """Nobody answers from here on."""
        self._gone.touch()
        self._tell("0")

    def give(self) -> None:
        """Names are known again."""
        self._gone.unlink()
        self._tell("1")

    def _tell(self, there: str) -> None:
        for twin in self._twins:
            (twin.folder / "names").write_text(there)
