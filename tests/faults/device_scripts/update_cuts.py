# Cuts power inside every flash operation of an update, on the real LittleFS over NOR flash.
#
# Usage: update_cuts.py KIND FIRST STRIDE. Prints the number of cuts that were tried: every STRIDE-th from FIRST on.
# MicroPython only.
#
# The life itself is never cut: at each operation the flash forks, and each copy starts as a box does whose power is
# back. It must start from the old or the new slot, all of it, and end with the new one where the update goes on.
import sys

import vfs
from scanlatch.system import trial
from update_desk import CONTENT, MESSAGE, NEW, OLD, Nvs, Terminal, held, prepared

_UNREADABLE = 84  # EILSEQ, LittleFS's word for what is corrupt
_STARTS = 100  # of which one must find all: where none of so many does, it is gone for good
_LOST_MOST = (
    1  # of some 230 cuts: behind bits that waver LittleFS may lose files of the version that runs, and nobody sees
)


def life(terminal):
    """An update from its beginning to its confirmation, with the restarts between; then another power cycle."""
    terminal.power_on()
    terminal.deliver(MESSAGE, CONTENT)
    terminal.restart()
    terminal.restart()
    trial.look(terminal)
    terminal.restart()
    terminal.power_off()


def copies(kind, first, stride):
    """Copies of the flash, each cut at another operation."""
    terminal, forked, count = Terminal(prepared()), [], [0]

    def before(at, data):
        count[0] += 1
        if count[0] % stride == first:
            copy = terminal.flash.clone(count[0])
            copy.tear(kind, at, data)
            copy.restart()
            forked.append((count[0], copy, dict(terminal.nvs.held)))

    terminal.flash.before = before
    life(terminal)
    return forked


def started(slot):
    """Raises AssertionError unless all of the slot is there that a box started from."""
    if held(slot) != (OLD if slot == "a" else NEW):
        raise AssertionError("started from half of slot " + slot)
    return slot


def goes_on(flash, stored):
    """What the box does whose power was cut: it works, and the update comes to its end."""
    nvs = Nvs()
    nvs.held = stored
    terminal = Terminal(flash, nvs)
    if started(terminal.power_on()) == "a":
        terminal.deliver(MESSAGE, CONTENT)
        started("a")
        if started(terminal.restart()) != "b":
            raise AssertionError("the update did not come to its end")
    trial.look(terminal)
    for _ in range(4):
        if terminal.restart() != "b" or trial.look(terminal) is not None:
            raise AssertionError("taken back")
    started("b")
    if nvs.held["update"] != 5:
        raise AssertionError("an older one would be taken")
    terminal.power_off()


def wavers_on(flash, stored):
    """The same where bits read differently at each start, so that LittleFS may find an older state again at any.

    What starts from half of a slot falls, and is taken back: nothing of it confirms itself. Returns whether files of a
    version were lost that had been confirmed before.
    """
    nvs = Nvs()
    nvs.held = stored
    terminal = Terminal(flash, nvs)
    slot = started(_powered(terminal))
    for _ in range(8):
        if held(slot) == (OLD if slot == "a" else NEW):
            if slot == "a":
                try:
                    terminal.deliver(MESSAGE, CONTENT)
                except AssertionError as error:
                    print("refused:", error)
            trial.look(terminal)
        elif slot == "a":
            raise AssertionError("half of slot a")
        elif trial.read()[trial.TRIAL] != "b":
            if nvs.held.get("update") != 5:
                raise AssertionError("half of slot b confirmed itself")
            terminal.power_off()
            return True
        terminal.power_off()
        slot = _powered(terminal)
    terminal.power_off()
    return False


def _powered(terminal):
    # At three starts of four LittleFS may find nothing that it can read, and all of it at the next.
    for _ in range(_STARTS):
        try:
            return terminal.power_on()
        except OSError as error:
            if error.args[0] != _UNREADABLE:
                raise
            terminal.flash.restart()
    raise AssertionError("no start finds a file system")


def main():
    kind, first, stride = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    forked = copies(kind, first, stride)
    lost = 0
    for number, flash, stored in forked:
        try:
            lost += (wavers_on if kind == "unstable" else goes_on)(flash, stored) or False
            if lost > _LOST_MOST:
                raise AssertionError("files of a confirmed version are lost, once more")
        except (OSError, AssertionError):
            print("cut", number)
            raise
    print(len(forked))


if __name__ == "__main__":
    main()
