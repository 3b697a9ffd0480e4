# What health tells of the flash's wear, held against the erases that the flash really saw.
from cases import equal
from journal_desk import ID, QUIET, boot, message, obeyed
from nor import Nor
from scanlatch.keep.journal import Journal
from scanlatch.system import report

_SECTORS = 16
_CYCLES = 100_000


def _counted():
    """Flash whose erases are counted for each sector, with a journal that was just made on it."""
    flash, erased = Nor(_SECTORS), [0] * _SECTORS

    def count(at, data):
        if data is None:
            erased[at // 4096] += 1

    flash.before = count
    Journal.format(flash, ID)
    return flash, erased


def _use(flash, journal, records, restart_every, size=300):
    for _ in range(records):
        seq = journal.newest + 1
        journal.append(seq, message(seq, size))
        journal.free(seq)
        while journal.idle(seq * 1000, QUIET):
            pass
        if seq % restart_every == 0:
            journal = boot(flash)
    return journal


def _near(told, really, off):
    if abs(told - really) > off:
        raise AssertionError("told %s, really %s" % (told, really))


def _told_as_it_is(journal, erased):
    told, worn, _ = report.wear(journal)
    equal(told, sum(erased))
    for one in erased:
        _near(worn, one, 3)


def test_erases_that_are_told_are_those_that_the_flash_saw():
    flash, erased = _counted()
    journal = boot(flash)
    for _ in range(20):
        journal = _use(flash, journal, 100, 1_000_000)
        _told_as_it_is(journal, erased)
    obeyed(flash)


def test_erases_are_counted_for_life_over_restarts():
    flash, erased = _counted()
    journal = boot(flash)
    for _ in range(20):
        journal = _use(flash, journal, 100, 17)
        journal = boot(flash)
        _told_as_it_is(journal, erased)
    equal(journal.erases < sum(erased) // 10, True)


def test_a_sector_says_how_often_it_was_erased_whenever_it_was_first_used():
    flash, erased = _counted()
    _use(flash, boot(flash), 400, 3)
    sectors = boot(flash)._ring.sectors
    for block in range(_SECTORS):
        if sectors.begin(block):
            equal(sectors.wear + 1, erased[block])


def test_years_are_those_that_the_erases_so_far_give():
    for restart_every in (1_000_000, 10):
        flash, erased = _counted()
        journal = _use(flash, boot(flash), 3000, restart_every)
        a_record = (sum(erased) - _SECTORS) / 3000
        left = (_CYCLES - max(erased)) * _SECTORS
        for told, a_day in zip(report.wear(journal)[2], (300, 5000)):
            _near(told, left / a_record / a_day / 365, 0.02 * told + 1)


def test_the_erases_that_come_are_as_many_as_were_projected():
    flash, erased = _counted()
    journal = _use(flash, boot(flash), 1000, 50)
    before, (_, worn, years) = sum(erased), report.wear(journal)
    _use(flash, journal, 3000, 50)
    projected = (_CYCLES - worn) * _SECTORS / (years[0] * 300 * 365) * 3000
    _near(projected, sum(erased) - before, 0.1 * projected)


def test_a_new_journal_is_projected_from_what_a_sector_holds():
    flash, erased = _counted()
    journal = boot(flash)
    told, worn, (few, many) = report.wear(journal)
    equal((told, worn), (sum(erased), max(erased)))
    _near(few, 17 * many, 17)
    equal(few > 100, True)


def test_a_terminal_that_was_rarely_used_has_years_left():
    flash, _ = _counted()
    few = report.wear(boot(flash))[2][0]
    for records in (0, 10):
        flash, _ = _counted()
        for _ in range(3 * _SECTORS):  # each start prepares a sector: these have no record to be shared by
            journal = boot(flash)
            _use(flash, journal, records // _SECTORS, 1_000_000)
            while journal.idle(0, QUIET):
                pass
        equal(report.wear(journal)[0] > 2 * _SECTORS, True)
        _near(report.wear(journal)[2][0], few, 1)


def test_worn_flash_has_no_years_left():
    class Ring:
        count, top = _SECTORS, _SECTORS * _CYCLES

    class Journal:
        _ring, newest, capacity = Ring, 1_000_000, 150

    equal(report.wear(Journal)[1:], (_CYCLES + 1, [0, 0]))
