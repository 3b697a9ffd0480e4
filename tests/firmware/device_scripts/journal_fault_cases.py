# The journal on flash that fails, was wiped or lost something. Runs on MicroPython and CPython.
from cases import equal, raises
from journal_desk import ID, QUIET, boot, fill, fresh, holds, message, obeyed, rest
from nor import Nor, PowerCut
from scanlatch.keep.journal import Journal, JournalError, JournalFault, JournalMissing


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


def test_a_sector_that_an_erase_leaves_bits_in_is_not_written():
    flash, journal = fresh()
    erase, stubborn = flash.ioctl, (3, 6)

    def leaves_bits(op, arg=0):
        result = erase(op, arg)
        if op == 6 and arg in stubborn:
            flash.cells.bytes[arg * 4096 + 3000] &= 0xF7
        return result

    flash.ioctl = leaves_bits
    for seq in range(1, 300):
        journal.append(seq, message(seq))
        journal.free(seq)
        rest(journal)
        if journal._ring.open in stubborn:
            raise AssertionError("sector %d is written" % journal._ring.open)
    holds(boot(flash), 290, 299)
    obeyed(flash)


def test_the_newest_record_stays_where_no_other_sector_can_be_erased():
    flash, journal = fresh(8)
    for seq in range(1, 6):
        journal.append(seq, message(seq))
    journal.free(5)
    rest(journal)
    _erases_only(flash, (journal._ring.home,))
    for _ in range(3):
        journal = boot(flash)
        equal((journal.newest, journal.read(5)), (5, message(5)))
    obeyed(flash)


def test_no_copy_is_erased_before_another_is_proven():
    # Two sectors are left: the newest record, which nothing proves yet, and one that power fails in whenever it is copied.
    for seed in range(1, 30):
        flash = Nor(8, seed=seed)
        Journal.format(flash, ID)
        journal = boot(flash)
        for seq in range(1, 5):
            journal.append(seq, message(seq))
        journal.free(4)
        rest(journal)
        journal.append(5, message(5))
        home = journal._ring.home
        _erases_only(flash, (home, (home + 4) % 8))
        for _ in range(6):
            flash.cut(3, "unstable")  # behind erase and header
            try:
                boot(flash)
            except PowerCut:
                pass
            flash.restart()
        flash.cut(0, None)
        equal((seed, boot(flash).read(5)), (seed, message(5)))


def _erases_only(flash, blocks):
    # Every other sector refuses to be erased from now on.
    erase = flash.ioctl

    def ioctl(op, arg=0):
        if op == 6 and arg not in blocks:
            raise OSError(-0x6001)
        return erase(op, arg)

    flash.ioctl = ioctl


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
    other = flash.clone(1)  # a mark of the same journal, further on in its life
    later = boot(other)
    later.append(2, message(2))
    later.append(3, message(3))
    rest(later)
    later.free(3)
    rest(later)
    mark = later._ring.open * 4096 + later._ring.at - 16
    forged = bytes(other.cells.bytes[mark : mark + 16])
    equal((forged[2], forged[8]), (2, 3))
    journal.append(2, message(2, 48) + forged * 20)
    at = cells.find(message(2, 48))
    cells[at + 3] ^= 1
    journal = boot(flash)
    equal((journal.newest, journal.freed), (1, 1))
