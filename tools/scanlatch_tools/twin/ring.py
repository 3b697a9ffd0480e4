"""Fills the journal of a twin that has no power, as if it had scanned all through an outage."""

from collections.abc import Sequence

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _
from scanlatch_tools.twin.device import Twin

# The firmware's own code, on its own interpreter: journal, keys, chain and signatures are the terminal's.
_FILL = """
import os
from scanlatch.keep import store
from scanlatch.keep.journal import Journal, JournalFull
from scanlatch.prove import cose, record
from scanlatch.prove.signer import Signer
from scanlatch.system import board, settings, wiring

given = settings.load()
nvs = store.Nvs(board.nvs())
boot = (nvs.get_int("boot") or 0) + 1
nvs.set_int("boot", boot)
journal = Journal(wiring.scanlog(), nvs.get_bytes("journal"))
journal.recover()
signer = Signer(nvs.get_bytes("sign_key"), boot, os.urandom)
kid, site = given["device"].encode(), given["site"]
before, uptime = journal.newest, 1000
sales = open("sales.txt")  # read line by line: heap is short
at, step = map(int, sales.readline().split())
for code in sales:
    while journal.idle(uptime, 1000) or (not signer.ready and signer.prepare()):
        pass
    try:
        journal.need_room()
    except JournalFull:
        break
    seq = journal.newest + 1
    chain, moment, what = (seq, journal.newest_digest), (at, 2, boot, uptime), (1, "]C0", code.strip().encode(), 1)
    payload = record.scan(*chain, *moment, *what, None, None, True, site, None)
    journal.append(seq, cose.sign1(kid, payload, record.AAD_SCAN, signer.sign))
    at += step
    uptime += step
sales.close()
os.remove("sales.txt")
print(journal.newest - before)
"""


def fill(twin: Twin, codes: Sequence[str], began: int, every_ms: int) -> int:
    """Keep a sale of each of `codes`, twenty digits, until the ring is full; how many were kept.

    Args:
        twin: enrolled, without power. Its synchronised clock, so the records say, told the time, and its link was down.
        codes: one sale each.
        began: ms UTC of the first sale.
        every_ms: from each to the next.

    Raises:
        ToolError: it could keep none.
    """
    twin.put("sales.txt", "\n".join((f"{began} {every_ms}", *codes)).encode())
    kept = int(twin.run(_FILL).split()[-1])
    if not kept:
        raise ToolError(_("the ring of {name} takes no record").format(name=twin.folder.name))
    return kept
