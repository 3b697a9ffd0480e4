# The journal through its public face, on flash that follows the rules of NOR. Runs on MicroPython and CPython.
import gc
import sys
from hashlib import sha256

import cases
from cases import equal, raises
from nor import Nor, PowerCut
from scanlatch.keep.journal import Journal, JournalError, JournalFault, JournalFull, JournalMissing

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


def test_cuts_in_recovery_never_use_up_the_sectors_for_copies():
    for kind in ("half", "garbage", "unstable"):
        flash, journal = fresh(8)
        fill(journal)
        kept = journal.newest
        for nth in range(60):
            flash.cut(1 + nth % 12, kind)
            try:
                boot(flash)
            except PowerCut:
                pass
            flash.restart()
        journal = boot(flash)
        equal((journal.fault, journal.newest), (None, kept))
        holds(journal, 1, kept)
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


def test_a_failed_read_back_writes_the_same_bytes_in_the_next_sector():
    flash, journal = fresh()
    journal.append(1, message(1))
    places = []
    flash.before = lambda at, data: places.append((at // 4096, at % 4096, bytes(data)))
    flash.weak = (journal._ring.open,)
    journal.append(2, message(2))
    flash.before = None
    (weak, _, first), (strong, _, second) = places
    if weak == strong:
        raise AssertionError("the same sector again")
    equal(first[8:], second[8:])  # length and CRC stand before: the CRC tells the place too
    holds(journal, 1, 2)
    journal.append(3, message(3))
    journal = boot(flash)
    holds(journal, 1, 3)
    obeyed(flash)


def test_three_failures_are_a_fault_until_a_reboot():
    flash, journal = fresh()
    journal.append(1, message(1))
    flash.weak = tuple(range(16))
    programs = flash.programs
    raises(JournalFault, journal.append, 2, message(2))
    equal(flash.programs - programs, 3)
    flash.weak = ()
    raises(JournalFault, journal.append, 2, message(2))
    raises(JournalFault, journal.need_room)
    equal((journal.newest, journal.idle(0, QUIET), flash.programs - programs), (1, False, 3))
    equal(journal.read(1), message(1))
    journal = boot(flash)
    equal((journal.newest, journal.fault), (1, None))
    journal.append(2, message(2))
    holds(boot(flash), 1, 2)
    obeyed(flash)


def test_a_wiped_or_foreign_journal_never_starts_at_one():
    flash, journal = fresh()
    journal.append(1, message(1))
    for stranger in (Journal(flash, b"journal2"), Journal(Nor(16), ID), Journal(flash, None), Journal(flash, b"")):
        raises(JournalMissing, stranger.recover)
        raises(JournalFault, stranger.append, 1, message(1))
        raises(JournalFault, stranger.need_room)
    raises(JournalFault, Journal(flash, ID).append, 2, message(2))  # before recover()
    equal(boot(flash).newest, 1)


def test_a_lost_newest_record_is_a_fault_and_not_a_new_beginning():
    flash, journal = fresh()
    for seq in range(1, 9):
        journal.append(seq, message(seq))
    journal = boot(flash)
    flash.ioctl(6, journal._ring.home)  # holds the copy of 8
    equal(boot(flash).newest, 8)  # the one it was copied from
    journal = boot(flash)
    for seq in range(9, 40):
        journal.append(seq, message(seq))
        journal.free(seq)
        rest(journal)  # what is prepared now knows what was freed
    flash.ioctl(6, journal._ring.home)
    journal = boot(flash)
    if journal.newest >= 39 or not journal.fault:
        raise AssertionError("newest %d, fault %s" % (journal.newest, journal.fault))
    raises(JournalFault, journal.append, journal.newest + 1, b"again")
    equal(journal.read(journal.newest), message(journal.newest))


def test_a_seq_out_of_turn_or_a_wrong_size_writes_nothing():
    flash, journal = fresh()
    programs = flash.programs
    for seq, size in ((0, 100), (2, 100), (1, 1025)):
        raises(JournalError, journal.append, seq, message(1, size))
    raises(JournalError, journal.append, 1, b"")
    equal((flash.programs, journal.newest), (programs, 0))


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


def test_what_the_flash_lost_is_named():
    flash, journal = fresh()
    for seq in range(1, 61):
        journal.append(seq, message(seq))
        rest(journal)
    cells = flash.cells.bytes
    for seq in (5, 6, 7, 25, 44):
        at = cells.find(message(seq)[:2] + b"\x5a" * 20)
        cells[at + 30] ^= 0x40
    journal = boot(flash)
    equal(journal.newest, 60)
    equal(journal.missing(), [[5, 7], [25, 25], [44, 44]])
    equal([journal.read(seq) is None for seq in (4, 5, 6, 7, 8)], [False, True, True, True, False])
    cells[cells.find(message(50)[:2] + b"\x5a" * 20) + 30] ^= 0x40
    equal(journal.read(50), None)
    equal(journal.missing()[-1], [50, 50])


def test_at_most_sixteen_lost_ranges_are_named_lowest_first():
    flash, journal = fresh()
    for seq in range(1, 61):
        journal.append(seq, message(seq))
        rest(journal)
    cells = flash.cells.bytes
    for seq in range(2, 60, 2):
        cells[cells.find(message(seq)[:2] + b"\x5a" * 20) + 30] ^= 0x40
    equal(boot(flash).missing(), [[seq, seq] for seq in range(2, 34, 2)])


def test_bytes_inside_a_record_are_never_taken_for_an_entry():
    # A scanned code may hold what looks like an entry; with the record around it damaged, it must not count.
    flash, journal = fresh()
    journal.append(1, message(1))
    journal.free(1)
    rest(journal)
    cells = flash.cells.bytes
    mark = journal._ring.open * 4096 + journal._ring.at - 16
    forged = bytes(cells[mark : mark + 16])
    journal.append(2, message(2, 48) + forged * 20)
    at = cells.find(message(2, 48))
    cells[at + 3] ^= 1
    journal = boot(flash)
    equal((journal.newest, journal.freed), (1, 1))


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


def answer(name):
    """Outcome of one case, for the WebAssembly build."""
    return cases._run(globals()[name.strip()]).replace("\n", " | ")
