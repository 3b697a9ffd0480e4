"""Measures what each of the device's modules takes of the heap, compiled as for the chip, on the 64-bit unix port.

`python tools/scripts/heap.py` measures the running terminal: its application and the engine in use, with all that these
import; and `start` with its helpers, which the terminal forgets once it stands. Further modules may be named:
`python tools/scripts/heap.py scanlatch.system.enrol`. A module's bytes are its own, without what it imports. The pool
of names grows in leaps, and whoever comes at the wrong moment pays for it; so names are counted apart, and the leaps
with them.
"""

import ast
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from scanlatch_tools import places
from scanlatch_tools.twin import build, interpreter

_TERMINAL = ("scanlatch.app", "scanlatch.start", "scanlatch.system.idle", "scanlatch.read.engines.grow")
_HEAP = "4M"  # what is measured must not end for want of room
_LINE = re.compile(r"(\S+) (\d+)\nqstr pool: n_pool=\d+, n_qstr=(\d+), n_str_data_bytes=\d+, n_total_bytes=(\d+)")

# The chip's own modules are C, in flash: they take nothing. Those of the port that ours use come first, unmeasured.
_SCRIPT = """
import gc, sys
class InFlash:
    def __getattr__(self, name): return self
    def __call__(self, *arguments): return self
for name in ("cryptolib", "esp32", "machine", "neopixel", "network"): sys.modules[name] = InFlash()
import asyncio, binascii, errno, hashlib, json, micropython, os, random, socket, ssl, struct, time
asyncio.create_task, asyncio.get_event_loop, asyncio.run, asyncio.sleep_ms, asyncio.TimeoutError
for name in ("nothing",) + %r:
    if name != "nothing": __import__(name)
    gc.collect(); gc.collect()
    print(name, gc.mem_alloc())
    micropython.qstr_info()
"""


def in_order(module: str, seen: list[str]) -> list[str]:
    """`seen`, then what `module` imports of the firmware when it is loaded, then `module`: so each pays for itself."""
    if module in seen or _source(module) is None:
        return seen
    package = module.rpartition(".")[0]
    if package:
        in_order(package, seen)
    for name in _imports(_source(module) or Path()):
        in_order(name, seen)
    if module not in seen:
        seen.append(module)
    return seen


def _imports(source: Path) -> Iterator[str]:
    for node in ast.parse(source.read_text("utf-8")).body:  # of the module itself: the rest is loaded on demand
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _source(module: str) -> Path | None:
    base = places.firmware() / module.replace(".", "/")
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.exists():
            return path
    return None


def measured(modules: list[str]) -> list[tuple[str, int, int, int]]:
    """(module, bytes beside the pool of names, bytes by which that pool grew, names), in the order of loading."""
    with tempfile.TemporaryDirectory() as folder:
        build.compile_tree(places.firmware(), Path(folder))
        path = interpreter.search_path(Path(folder), stand_ins=False)
        done = interpreter.run(["-c", _SCRIPT % (tuple(modules),)], path, heap=_HEAP)
    if done.returncode:
        raise SystemExit(done.stderr)
    rows: list[tuple[str, int, int, int]] = []
    before = (0, 0, 0)
    for name, *numbers in _LINE.findall(done.stdout):
        used, names, pool = (int(number) for number in numbers)
        rows.append((name, used - before[0] - (pool - before[2]), pool - before[2], names - before[1]))
        before = used, names, pool
    return rows[1:]


def main() -> int:
    """Print the table: modules, then rooms, then all."""
    modules: list[str] = []
    for root in (*_TERMINAL, *sys.argv[1:]):
        if _source(root) is None:
            raise SystemExit(f"no module {root} in {places.firmware()}")
        in_order(root, modules)
    rows = measured(modules)
    rooms: dict[str, list[int]] = {}
    print("  bytes + names' pool   names")
    for name, *numbers in rows:
        print("{1:7} {2:+8} {3:8}   {0}".format(name, *numbers))
        room = name.split(".")[1] if name.count(".") > 1 else "scanlatch"
        rooms[room] = [a + b for a, b in zip(rooms.get(room, [0, 0, 0]), numbers, strict=True)]
    rooms["all"] = [sum(numbers) for numbers in zip(*rooms.values(), strict=True)]
    print()
    for name, numbers in rooms.items():
        print("{1:7} {2:+8} {3:8}   {0}".format(name, *numbers))
    return 0


if __name__ == "__main__":
    sys.exit(main())
