"""The device's files: those that a board needs, compiled, and copied into slot a where the board has not the same."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from scanlatch_tools.boards import Board, compiled
from scanlatch_tools.cable import Cable
from scanlatch_tools.twin import build
from scanlatch_tools.twin.folder import PACKAGE, WHOLE

_SLOT = "a/"
_WHOLE = _SLOT + WHOLE  # written when all of it is there
_STARTS = "main.py"  # written last, and gone first: a board that has a part of the firmware waits at its console
_ROOT = ("boot.py", _STARTS)
_PARTS = f"{PACKAGE}/system/parts/"
_BEEP = f"{PACKAGE}/read/engines/beep.mpy"
_PART = ".part"  # what the cable calls a file that is not whole
# Updates that came later, their slot, and the package where it lay before there were slots.
_OTHERS = ("slot", "slot.new", "update", "update.new", "b", PACKAGE)
_REMOVE = """
for name in {files!r}:
    os.remove(name)
for name in {folders!r}:
    try:
        os.rmdir(name)
    except OSError:
        pass
"""


@dataclass(frozen=True, slots=True)
class Copied:
    """How many files were written, were there already, and were taken away."""

    written: int
    kept: int
    removed: int


def files(board: Board) -> dict[str, bytes]:
    """By path: boot.py, main.py and the compiled package in its slot.

    All drivers of scan engines are among them, since a terminal whose engine is gone looks for another one; of lights,
    buzzers and networks only the board's.
    """
    folder = build.firmware()
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    needed = _parts(board)
    package = {
        name if name in _ROOT else _SLOT + name: path.read_bytes()
        for name, path in found.items()
        if not (name.startswith(_PARTS) and name.removeprefix(_PARTS) not in needed)
        and not (name == _BEEP and "engine_buzzer.mpy" not in needed)
    }
    return package | {_WHOLE: b""}


def _parts(board: Board) -> set[str]:
    told = compiled(board)
    kinds = {kind: told.get(kind, {}).get("kind", "") for kind in ("light", "buzzer", "network")}
    needed = {f"{kinds[part]}_{part}.mpy" for part in ("light", "buzzer")}
    return {"__init__.mpy", f"{kinds['network']}.mpy"} | needed


def copy(cable: Cable, board: Board, progress: Callable[[int, int], None]) -> Copied:
    """Bring the board's files to what they are to be, file by file; told by their digests.

    progress: gets bytes done, and of how many.

    Raises:
        DeviceError, CableLostError.
    """
    wanted = files(board)
    there = cable.digests(*_ROOT, *(name + _PART for name in _ROOT), _SLOT.rstrip("/"), *_OTHERS)
    todo = [name for name, data in wanted.items() if there.get(name) != hashlib.sha256(data).hexdigest()]
    gone = [name for name in there if name not in wanted]
    if (todo or gone) and _STARTS in there:
        gone.insert(0, _STARTS)
        todo = [*(name for name in todo if name != _STARTS), _STARTS]
    todo.sort(key=lambda name: (name == _STARTS, name == _WHOLE))
    if gone:
        folders = {str(folder) for name in gone for folder in PurePosixPath(name).parents} - {"."}
        cable.run(_REMOVE.format(files=gone, folders=sorted(folders, reverse=True)))
    size = sum(len(wanted[name]) for name in todo)
    done = 0
    for name in todo:
        cable.put(name, wanted[name])
        done += len(wanted[name])
        progress(done, size)
    if todo or gone:
        cable.stop()  # and begins anew: boot.py, which is there now, chooses the slot
    return Copied(len(todo), len(wanted) - len(todo), len([name for name in gone if name != _STARTS]))
