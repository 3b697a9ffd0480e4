# What the places that ask for heap call in the copy of the firmware that instrumented.py makes.
#
# While `recording`, each site is counted, and it is measured whether heap was asked for inside it: only such a site is
# made to fail later, as only there the chip can. Else `fail` says where MemoryError is raised.
from array import array

from micropython import mem_total

MOST = 8000  # sites
_DEEP = 400

counts = array("I", bytes(4 * MOST))
allocates = bytearray(MOST)
recording = False
paused = 0  # above 0 what runs is the test's own, or the bridge's
fired = False

_armed = -1
_left = 0
_after = False
_until = None  # after the first failure all others fail too until this is true
_marks = [0] * _DEEP
_sites = [0] * _DEEP
_depth = 0


def fail(site, nth, after):
    """MemoryError where `site` is reached for the nth time from now: ahead of what is done there, or behind it."""
    global _armed, _left, _after, fired
    _armed, _left, _after, fired = site, nth, after, False


def never():
    global _armed
    _armed = -1


def base():
    """Nothing is under way: whatever was begun and has not ended was left by an exception."""
    global _depth
    _depth = 0


def before(site):
    global _left, _depth, _armed, fired
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
    if site != _armed or paused:
        return -1
    _left -= 1
    if _left:
        return -1
    if _after:
        return 1
    fired = True
    _armed = -1
    raise MemoryError("nth")


def behind(depth, value):
    global _depth, fired, _armed
    if depth < 0:
        return value
    if recording:
        if mem_total() != _marks[depth]:
            allocates[_sites[depth]] = 1
        _depth = depth
        return value
    fired = True
    _armed = -1
    raise MemoryError("nth")
