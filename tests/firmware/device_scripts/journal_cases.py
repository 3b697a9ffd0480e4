# The journal keeps, finds, frees and refuses. Runs on MicroPython and CPython.
from hashlib import sha256

from cases import equal, raises
from journal_desk import MINUTE, boot, fill, fresh, holds, message, obeyed, rest
from scanlatch.keep.journal import JournalError, JournalFull


def test_an_append_is_one_program_and_no_erase():
    flash, journal = fresh()
    for seq in range(1, 39):
        programs, erases = flash.programs, flash.erases
        journal.append(seq, message(seq))
        equal((flash.programs - programs, flash.erases - erases), (1, 0))
    obeyed(flash)


def test_a_record_reads_back_in_this_boot_and_the_next():
    flash, journal = fresh()
    for seq in range(1, 30):
        journal.append(seq, message(seq))
    for _ in range(2):
        equal((journal.newest, journal.oldest, journal.freed), (29, 1, 0))
        equal(journal.newest_digest, sha256(message(29)).digest())
        equal(journal.digest(7), sha256(message(7)).digest())
        equal((journal.read(0), journal.read(30), journal.digest(30)), (None, None, None))
        holds(journal, 1, 29)
        journal = boot(flash)
    obeyed(flash)


def test_a_full_ring_refuses_and_overwrites_nothing():
    flash, journal = fresh()
    fill(journal)
    kept = journal.newest
    equal(raises(JournalFull, journal.need_room).reason, "full")
    programs = flash.programs
    equal(raises(JournalFull, journal.append, kept + 1, message(kept + 1, 1024)).reason, "full")
    equal((flash.programs, journal.newest, journal.room), (programs, kept, 0))
    rest(journal)
    holds(journal, 1, kept)
    journal = boot(flash)
    equal((journal.newest, journal.room), (kept, 0))
    holds(journal, 1, kept)
    obeyed(flash)


def test_a_full_ring_survives_restart_after_restart():
    flash, journal = fresh(8)
    fill(journal)
    kept = journal.newest
    for _ in range(30):
        journal = boot(flash)
        equal((journal.fault, journal.newest), (None, kept))
        raises(JournalFull, journal.need_room)
    holds(journal, 1, kept)
    journal.free(kept)
    rest(journal)
    journal.append(kept + 1, message(kept + 1))
    obeyed(flash)


def test_freed_records_make_room_and_can_still_be_read():
    flash, journal = fresh()
    fill(journal)
    kept = journal.newest
    journal.free(kept - 5)
    holds(journal, 1, kept)
    for seq in range(kept + 1, kept + 51):
        rest(journal)
        journal.append(seq, message(seq))
    if journal.oldest == 1 or journal.oldest > kept // 2:
        raise AssertionError("only the sectors next in turn may be erased, oldest is %d" % journal.oldest)
    holds(journal, journal.oldest, kept + 50)
    journal = boot(flash)
    holds(journal, journal.oldest, kept + 50)
    obeyed(flash)


def test_freeing_what_was_never_kept_is_refused():
    _, journal = fresh()
    journal.append(1, message(1))
    raises(JournalError, journal.free, 2)
    equal(journal.freed, 0)


def test_the_newest_record_survives_an_empty_ring():
    flash, journal = fresh(8)
    for seq in range(1, 200):
        journal.append(seq, message(seq))
        journal.free(seq)
        rest(journal, seq * MINUTE)
    for _ in range(20):
        journal = boot(flash)
        rest(journal, MINUTE)
        equal((journal.newest, journal.read(199)), (199, message(199)))
    obeyed(flash)
