# What the places that ask for heap call in the copy of the firmware that instrumented.py makes.
#
# While `recording`, each site is counted, and it is measured whether heap was asked for inside it: only such a site is
# made to fail later, as only there the chip can. Else `fail` says where MemoryError is raised, and how.
from array import array

from micropython import mem_total

MOST = 8000  # sites
_DEEP = 400

counts = array("I", bytes(4 * MOST))
allocates = bytearray(MOST)
recording = False
paused = 0  # above 0 what runs is the test's own, or the bridge's
fired = False

AHEAD, BEHIND, STAYS = 0, 1, 2  # of what the site does; ahead, and from there on until the program next sleeps

_armed = -1
_left = 0
_how = AHEAD
_short = False  # the heap stays short: wherever it is asked for, there is none
_marks = [0] * _DEEP
_sites = [0] * _DEEP
_depth = 0


def fail(site, nth, how):
    """MemoryError where `site` is reached for the nth time from now."""
    global _armed, _left, _how, fired
    _armed, _left, _how, fired = site, nth, how, False


def never():
    """Nothing fails any more, and nothing is counted."""
    global _armed, _short, recording
    _armed = -1
    _short = recording = False


def base():
    """Nothing is under way: whatever was begun and has not ended was left by an exception."""
    global _depth, _short
    _depth = 0
    _short = False


def before(site):
    global _left, _depth, _armed, _short, fired
    if recording:
        if paused:
            return -1
        if site < 0:
            site = -1 - site
            counts[site] += 1
            allocates[site] = 1
            return -1
        counts[site] += 1
        depth = _depth
        if depth == _DEEP:
            return -1
        _sites[depth] = site
        _marks[depth] = mem_total()
        _depth = depth + 1
        return depth
    if site < 0:
        site = -1 - site
    if _short and allocates[site] and not paused:
        raise MemoryError("nth")
    if site != _armed or paused:
        return -1
    _left -= 1
    if _left:
        return -1
    fired = True
    _armed = -1
    if _how == BEHIND:
        return 1
    _short = _how == STAYS
    raise MemoryError("nth")


def behind(depth, value):
    global _depth
    if depth < 0:
        return value
    if recording:
        if mem_total() != _marks[depth]:
            allocates[_sites[depth]] = 1
        _depth = depth
        return value
    raise MemoryError("nth")
