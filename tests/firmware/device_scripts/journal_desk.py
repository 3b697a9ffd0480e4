# What the cases of the journal share: flash that follows the rules of NOR, and journals on it.
import cases
from cases import equal
from nor import Nor
from scanlatch.keep.journal import Journal, JournalFull

ID = b"journal1"
LOUD, QUIET = 299, 300
MINUTE = 60_000


def message(seq, size=189):
    return bytes([seq & 0xFF, seq >> 8 & 0xFF]) + b"\x5a" * (size - 2)


def fresh(sectors=16):
    flash = Nor(sectors)
    Journal.format(flash, ID)
    return flash, boot(flash)


def boot(flash):
    journal = Journal(flash, ID)
    journal.recover()
    return journal


def rest(journal, now=0):
    while journal.idle(now, QUIET):
        pass


def fill(journal, size=189):
    """Append until refused; returns why."""
    while True:
        try:
            journal.append(journal.newest + 1, message(journal.newest + 1, size))
        except JournalFull as refusal:
            if refusal.reason == "full":
                return
            before = journal.erases
            rest(journal)
            if journal.erases == before:
                raise AssertionError("busy for ever")


def holds(journal, first, last, size=189):
    for seq in range(first, last + 1):
        equal(journal.read(seq), message(seq, size))


def obeyed(flash):
    equal(flash.violations, [])


def answer(module, name):
    """Outcome of one case, for the WebAssembly build."""
    return cases._run(getattr(__import__(module), name)).replace("\n", " | ")
