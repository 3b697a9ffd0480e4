# Finds the newest record after a boot, and whether anything proves that its program had ended.
from scanlatch.keep.sector import FIRST, MARK


def find_newest(ring, freed):
    """Look for the last valid copy of the newest record, from the end of the ring.

    Args:
        ring: surveyed ring; its `home` is set.
        freed: highest freed mark known so far.

    Returns: (seq or 0, message or None, stable, freed). Stable where an entry stands behind it in its own sector, or
    a mark anywhere covers it. An entry in another sector proves nothing: a later boot that couldn't read the record
    may have written it.
    """
    sectors = ring.sectors
    seq, message, stable = 0, None, False
    recent = ring.top - 2 * ring.ahead  # marks in older sectors are below the ones beside later headers
    ring.home = -1
    for i in range(ring.count - 1, -1, -1):
        block = ring.order[i]
        serial = ring.serial[block]
        if not serial or (message and serial < recent):
            break
        found, after = None, False
        offset = sectors.find(block, serial, FIRST)
        while offset >= 0:
            after = True
            if sectors.kind == MARK:
                freed = max(freed, sectors.number)
            elif not message:  # read once: a torn record may not read like this again
                seq, found, after = sectors.number, bytes(sectors.message()), False
            offset = sectors.find(block, serial, offset + sectors.size)
        if found:
            message, stable, ring.home = found, after, block
            ring.low[block] = ring.low[block] or seq
    return seq, message, stable or freed >= seq, freed
