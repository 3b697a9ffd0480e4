# Finds again what the flash holds of a journal; needed once after a boot, and gone from the heap behind it.
from array import array
from hashlib import sha256

from micropython import const
from scanlatch import forget
from scanlatch.keep.journal import JournalFault, JournalMissing
from scanlatch.keep.ring import AHEAD
from scanlatch.keep.sector import MARK, RECORD, Sectors

_MARK_AT = const(32)  # of the mark that stands beside a sector's header


def begin(flash, journal_id):
    """Journal.format(): erase everything and begin an empty journal. Raises JournalFault."""
    sectors = Sectors(flash, journal_id)
    try:
        for block in range(sectors.count):
            flash.ioctl(6, block)
    except OSError as error:
        raise JournalFault("the flash can't be erased: " + str(error))
    if not sectors.prepare(0, 1, 0):
        raise JournalFault("the flash doesn't take the journal")


def recover(journal):
    """Journal.recover() of a journal that is new. Raises JournalMissing."""
    ring = journal._ring
    serials = _survey(ring)
    if not ring.top:
        journal.fault = "the flash holds nothing of this journal"
        raise JournalMissing(journal.fault)
    journal.newest, message, stable = _find_newest(ring, serials)
    journal.freed = ring.freed
    if message:
        journal.newest_digest = sha256(message).digest()
    ring.recount(journal.newest)
    while len(ring.fresh) < AHEAD and journal._prepare():
        pass
    journal.fault = None
    if journal.freed > journal.newest:
        journal.fault = "record %d was kept and can't be read" % journal.freed
    elif message and not stable and not _settled(journal, message):
        journal.fault = "the newest record can't be made safe"
    from scanlatch.keep import audit

    forget(audit)  # when it has read all and found nothing lost
    journal._audit = audit.Audit(ring, journal.newest)


def _settled(journal, message):
    # The newest record may be half programmed and read differently tomorrow: nothing may build on it before it stands
    # in a fresh sector with a mark behind it.
    return journal._write(RECORD, journal.newest, message) and journal._write(MARK, journal.freed, b"")


def _survey(ring):
    # Read every header and first record: the ring's order, top and low, the highest freed mark that stands beside a
    # header, and where. Returns the serials of the blocks, 0 where there is no header.
    sectors = ring.sectors
    serials = array("I", bytes(4 * ring.count))
    if sectors.id is None or len(sectors.id) != 8:
        return serials
    for block in range(ring.count):
        if not sectors.begin(block):
            continue
        serials[block] = sectors.serial
        if sectors.at(_MARK_AT) and sectors.kind == MARK and sectors.number > ring.freed:
            ring.freed, ring.marked = sectors.number, block
        while sectors.next():
            if sectors.kind == RECORD:
                ring.low[block] = sectors.number
                break
    order = sorted(range(ring.count), key=lambda block: serials[block])
    for i in range(ring.count):
        ring.order[i] = order[i]
    ring.top = serials[order[-1]]
    return serials


def _find_newest(ring, serials):
    """Look for the last valid copy of the newest record, from the end of the ring.

    Sets the ring's `freed`, `marked` and `home`: where the record isn't proven, home is its earliest copy, which is
    whole if any has to be: the later ones were begun by boots that were cut. So no copy is erased before another is
    proven.

    Returns: (seq or 0, message or None, stable). Stable where an entry stands behind it in its own sector, or a mark
    anywhere covers it. An entry in another sector proves nothing: a later boot that couldn't read the record may have
    written it.
    """
    sectors = ring.sectors
    seq, message, stable, earlier = 0, None, False, False
    recent = ring.top - 2 * ring.ahead  # marks in older sectors are below the ones beside later headers
    for i in range(ring.count - 1, -1, -1):
        block = ring.order[i]
        serial = serials[block]
        if not serial or (earlier and serial < recent):
            break
        found, after = None, False
        sectors.begin(block)
        while sectors.next():
            after = True
            if sectors.kind == MARK:
                if sectors.number > ring.freed:
                    ring.freed, ring.marked = sectors.number, block
            elif not message:  # read once: a torn record may not read like this again
                seq, found, after = sectors.number, bytes(sectors.message), False
            elif sectors.number < seq:
                earlier = True
            elif not stable and sectors.message == message:
                ring.home = block
            if found and not ring.low[block]:
                ring.low[block] = sectors.number
        if found:
            message, stable, ring.home = found, after, block
            earlier = ring.low[block] < seq
    return seq, message, stable or ring.freed >= seq
