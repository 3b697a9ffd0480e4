"""How many names a terminal ever learns. A name is never forgotten, and each piece of their pool is twice the last.

So one name too many takes 9 KB of a chip's heap in one piece, for ever: where it comes, an update most likely, there is
no such room.
"""

import re
from pathlib import Path

from scanlatch_tools import places
from scanlatch_tools.twin import build, interpreter

# Of 10, 20, 40 ... 640 names (MicroPython, py/qstr.c: MICROPY_ALLOC_QSTR_ENTRIES_INIT, doubled); here as on the chip.
_PIECES = 10 * (2**7 - 1)
_SITES = 25  # a site's settings and its board bring their own
# A terminal has one engine; the family with most names stands for it. What runs by itself, over the cable, has a heap
# of its own.
_OTHERS = ("de2120", "grow", "line", "m14", "newland", "ssi")
_ALONE = ("csr", "enrol")
_SCRIPT = """
import micropython, sys
class InFlash:
    def __getattr__(self, name): return self
    def __call__(self, *arguments): return self
for name in ("cryptolib", "esp32", "machine", "neopixel", "network"): sys.modules[name] = InFlash()
for name in sys.argv[1:]: __import__(name)
micropython.qstr_info()
"""


def test_all_that_a_terminal_may_ever_load_stays_within_the_pool_of_names(tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text(_SCRIPT)
    modules = [
        ".".join(source.relative_to(places.firmware()).with_suffix("").parts).removesuffix(".__init__")
        for source in sorted((places.firmware() / "scanlatch").rglob("*.py"))
        if source.stem.removesuffix("_setup") not in _OTHERS + _ALONE
    ]
    search = interpreter.search_path(build.firmware(), stand_ins=False)
    done = interpreter.run([str(tmp_path / "load.py"), *modules], search, heap="4M")
    names = re.search(r"n_qstr=(\d+)", done.stdout)
    assert names, done.stderr
    assert 1000 < int(names[1]) <= _PIECES - _SITES
