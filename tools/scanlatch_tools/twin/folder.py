"""What lies in a twin's folder: links, files that change at one stroke, and the slot that its firmware runs from."""

import os
import shutil
from pathlib import Path

PACKAGE = "scanlatch"
WHOLE = "whole"  # in a slot that boot.py may choose


def link(name: Path, target: Path) -> None:
    """Have `name` lead to `target`, whatever it was."""
    made = name.with_name(name.name + ".new")
    made.unlink(missing_ok=True)
    made.symlink_to(target)
    made.replace(name)


def replace(path: Path, text: str) -> None:
    """Write a file that is looked at meanwhile."""
    made = path.with_name(path.name + ".new")
    made.write_text(text)
    made.replace(path)


def fill_slot(files: Path, compiled: Path) -> None:
    """Fill slot a with the package in `compiled`, as provisioning does; not of a twin that was updated since."""
    slot = files / "a"
    if (files / "slot").exists():
        return
    if slot.exists():
        shutil.rmtree(slot)
    if (compiled / PACKAGE).is_dir():
        shutil.copytree(compiled / PACKAGE, slot / PACKAGE, copy_function=_linked)
        (slot / WHOLE).touch()


def _linked(source: str, target: str) -> None:
    # The device removes files and makes new ones; it never writes into one that is there.
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
