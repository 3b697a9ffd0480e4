# What the journal costs: sectors, erases, programs, reads and heap. Runs on MicroPython and CPython.
import gc
import sys

from cases import equal, raises
from journal_desk import LOUD, QUIET, boot, fill, fresh, holds, message, obeyed, rest
from scanlatch.keep.journal import JournalFull


def test_a_burst_without_quiet_is_refused_as_busy_before_it_loses():
    flash, journal = fresh(64)
    rest(journal)
    erases = flash.erases
    while True:
        try:
            journal.append(journal.newest + 1, message(journal.newest + 1))
        except JournalFull as refusal:
            equal(refusal.reason, "busy")
            break
        journal.idle(0, LOUD)
    equal(flash.erases, erases)
    if journal.newest < 24:
        raise AssertionError("only %d scans without a pause" % journal.newest)
    equal(raises(JournalFull, journal.need_room).reason, "busy")
    rest(journal)
    journal.append(journal.newest + 1, message(journal.newest + 1))
    obeyed(flash)


def test_idle_erases_one_sector_at_a_time():
    flash, journal = fresh(64)
    for seq in range(1, 39):
        journal.append(seq, message(seq))
    for _ in range(20):
        before = flash.erases
        journal.idle(0, QUIET)
        if flash.erases - before > 1:
            raise AssertionError("more than one erase in a call")


def test_wear_is_even():
    flash, journal = fresh(16)
    erased = [0] * 16

    def count(at, data):
        if data is None:
            erased[at // 4096] += 1

    flash.before = count
    for seq in range(1, 3001):
        journal.append(seq, message(seq))
        journal.free(seq - seq % 7)
        journal.idle(seq * 1000, QUIET)
        if seq % 307 == 0:
            journal = boot(flash)
    if max(erased) - min(erased) > 3:
        raise AssertionError("erases of the sectors: %s" % erased)
    obeyed(flash)


def test_a_mebibyte_holds_three_thousand_records_of_320_bytes():
    flash, journal = fresh(256)
    if journal.capacity < 3000 or journal.room < 3000:
        raise AssertionError("capacity %d, room %d" % (journal.capacity, journal.room))
    capacity = journal.capacity
    fill(journal, 320)
    equal(journal.newest, capacity)
    reads, size = flash.reads, flash.read_bytes
    journal = boot(flash)
    reads, size = flash.reads - reads, flash.read_bytes - size
    if reads > 1000 or size > 512 * 1024:  # on the chip about 0.1 ms a call and 0.1 ms a KiB
        raise AssertionError("recovery takes %d reads, %d bytes" % (reads, size))
    equal((journal.newest, journal.missing()), (capacity, []))
    obeyed(flash)


def test_a_mebibyte_holds_about_five_thousand_plain_records():
    flash, journal = fresh(256)
    fill(journal, 189)
    if journal.newest < 4800:
        raise AssertionError("only %d" % journal.newest)
    equal(boot(flash).newest, journal.newest)


def test_boots_without_a_scan_use_no_sector():
    flash, journal = fresh(64)
    for seq in range(1, 50):
        journal.append(seq, message(seq))
        rest(journal)
    journal = boot(flash)  # copies the newest, which might have been torn
    rest(journal)
    journal = boot(flash)
    rest(journal)
    room, programs, erased = journal.room, flash.programs, [0] * 64

    def count(at, data):
        if data is None:
            erased[at // 4096] += 1

    flash.before = count
    for _ in range(300):
        journal = boot(flash)
        rest(journal)
    equal((journal.room, journal.newest), (room, 49))
    if sum(erased) > 600 or max(erased) - min(erased) > 600 // 15 or flash.programs - programs > 600:
        raise AssertionError("300 boots: erases %s, programs %d" % (erased, flash.programs - programs))
    holds(journal, 1, 49)
    obeyed(flash)


def test_a_newest_record_with_nothing_behind_it_is_copied_once():
    flash, journal = fresh()
    journal.append(1, message(1))
    room = journal.room
    first = boot(flash)
    equal(first._ring.home == journal._ring.home, False)
    second = boot(flash)
    equal(second._ring.home, first._ring.home)
    equal(second.read(1), message(1))
    if room - second.room > 2 * 19:
        raise AssertionError("room went from %d to %d" % (room, second.room))


def test_the_freed_mark_is_written_once_a_minute_or_when_the_ring_is_empty():
    flash, journal = fresh()
    for seq in range(1, 21):
        journal.append(seq, message(seq))
    rest(journal)
    marks = []
    for now, upto in ((0, 3), (1000, 4), (59_999, 5), (60_000, 6), (61_000, 7), (62_000, 20), (63_000, 20)):
        journal.free(upto)
        before = flash.programs
        rest(journal, now)
        marks.append(flash.programs - before)
    equal(marks, [1, 0, 0, 1, 0, 1, 0])
    equal(boot(flash).freed, 20)
    obeyed(flash)


def test_what_was_freed_is_remembered_beside_what_was_erased():
    flash, journal = fresh(8)
    for seq in range(1, 400):
        journal.append(seq, message(seq))
        if seq > 10:
            journal.free(seq - 10)
        journal.idle(0, QUIET)  # the clock stands: no mark is due
    journal = boot(flash)
    if journal.freed + 1 < journal.oldest:
        raise AssertionError("freed %d, oldest %d" % (journal.freed, journal.oldest))


def test_500_appends_leave_the_heap_as_it_was():
    if not hasattr(gc, "mem_alloc") or sys.platform == "webassembly":
        return  # that build collects garbage only between calls
    flash, journal = fresh(32)
    text = message(1)

    def work(first, last):
        for seq in range(first, last):
            journal.append(seq, text)
            journal.free(seq - 1)
            journal.read(seq)
            journal.idle(seq * 1000, QUIET)

    work(1, 100)
    gc.collect()
    before = gc.mem_alloc()
    work(100, 600)
    gc.collect()
    grown = gc.mem_alloc() - before
    if grown > 256:
        raise AssertionError("%d bytes more" % grown)
