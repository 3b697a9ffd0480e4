"""What can go wrong on the way to a chip's loader."""

from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """Faults of one board; all off at first, and changed at any time.

    pull_at: the cable is pulled instead of an answer to the loader's n-th command, counted from 1 since the count was
    last set to 0; noise_at: that answer has bytes of noise before it; noisy: so has every answer; silent: the
    loader hears and never answers; slow_s: how long each answer takes; wrong_md5: that many MD5s are wrong; locked:
    the chip's eFuse for encrypted flash is burned, as nobody could take back on a real one.
    """

    pull_at: int = 0
    noise_at: int = 0
    noisy: bool = False
    silent: bool = False
    slow_s: float = 0.0
    wrong_md5: int = 0
    locked: bool = False
    commands: int = 0
