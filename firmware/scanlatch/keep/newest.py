# Finds the newest record after a boot, and whether anything proves that its program had ended.
from scanlatch.keep.sector import FIRST, MARK


def find_newest(ring, freed):
    """Look for the last valid copy of the newest record, from the end of the ring.

    Sets the ring's `marked` and `home`: where the record isn't proven, home is its earliest copy, which is whole if
    any has to be: the later ones were begun by boots that were cut. So no copy is erased before another is proven.

    Args:
        ring: surveyed ring.
        freed: highest freed mark known so far.

    Returns: (seq or 0, message or None, stable, freed). Stable where an entry stands behind it in its own sector, or
    a mark anywhere covers it. An entry in another sector proves nothing: a later boot that couldn't read the record
    may have written it.
    """
    sectors = ring.sectors
    seq, message, stable, earlier = 0, None, False, False
    recent = ring.top - 2 * ring.ahead  # marks in older sectors are below the ones beside later headers
    ring.home = -1
    for i in range(ring.count - 1, -1, -1):
        block = ring.order[i]
        serial = ring.serial[block]
        if not serial or (earlier and serial < recent):
            break
        found, after = None, False
        offset = sectors.find(block, serial, FIRST)
        while offset >= 0:
            after = True
            if sectors.kind == MARK:
                if sectors.number > freed:
                    freed, ring.marked = sectors.number, block
            elif not message:  # read once: a torn record may not read like this again
                seq, found, after = sectors.number, bytes(sectors.message()), False
            elif sectors.number < seq:
                earlier = True
            elif not stable and sectors.message() == message:
                ring.home = block
            if found and not ring.low[block]:
                ring.low[block] = sectors.number
            offset = sectors.find(block, serial, offset + sectors.size)
        if found:
            message, stable, ring.home = found, after, block
            earlier = ring.low[block] < seq
    return seq, message, stable or freed >= seq, freed
