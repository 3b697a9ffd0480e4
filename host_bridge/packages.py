"""Counts boxes where some were seen one by one and some in their package; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counted:
    """Codes in order. A package is never a box; it is missing where it and all that lies in it were not seen."""

    boxes: tuple[str, ...]
    seen: tuple[str, ...]
    missing: tuple[str, ...]
    missing_packages: tuple[str, ...]


def count(expected: Iterable[str], parents: Mapping[str, str | None], seen: set[str], packages: set[str]) -> Counted:
    """Hold what was expected against what was seen.

    Args:
        expected: codes of boxes and packages.
        parents: for a code the package that it lies in.
        seen: codes that were scanned; who saw a package saw all that lies in it.
        packages: codes that are known to hold others, whether those are expected or not.
    """
    wanted = sorted(set(expected))
    holding = packages | {parent for code in wanted if (parent := parents.get(code))}
    boxes = [code for code in wanted if code not in holding]
    here = {code for code in wanted if not seen.isdisjoint([code, *_around(code, parents)])}
    touched = here | {package for code in here for package in _around(code, parents)}
    inhabited = {package for code in boxes for package in _around(code, parents)}
    absent = [code for code in wanted if code in holding and code in inhabited and code not in touched]
    return Counted(
        boxes=tuple(boxes),
        seen=tuple(code for code in boxes if code in here),
        missing=tuple(code for code in boxes if code not in here),
        missing_packages=tuple(absent),
    )


def _around(code: str, parents: Mapping[str, str | None]) -> list[str]:
    """The packages around a code, innermost first."""
    around: list[str] = []
    at = parents.get(code)
    while at is not None and at not in around:
        around.append(at)
        at = parents.get(at)
    return around
