"""CPython refuses memory at the first allocation of a job, then at the second, ... until the job ends undisturbed.

Usage: nomemory_cases.py JOB FIRST STRIDE. The jobs are pure logic of the device: what is read is classified, a record is made and
kept, a message of the bridge is opened. A job ends as it always does, or with MemoryError, or says that it could not; what
it left behind is as before or as after. Prints one line: how many allocations were refused.
"""

import gc
import sys

import _testcapi
import scanlatch

scanlatch.forget = lambda module: None  # what is loaded stays: an import that is torn is MicroPython's matter

from nor import Nor  # noqa: E402
from scanlatch.keep import audit, recovery  # noqa: E402, F401  # loaded by the journal where it needs them
from scanlatch.keep.journal import Journal, JournalError  # noqa: E402
from scanlatch.prove import cbor, cose, record  # noqa: E402
from scanlatch.read import digits, gs1, gs1_table, link, pattern, person, symbol, text, trace_code  # noqa: E402, F401

trace_code.forget = lambda: None
ID, KEY, KID = b"scanlog1", bytes(range(32)), b"bridge-1"
SYMBOLS = (
    ("", b"81012350000000000017"),
    ("]E0", b"6901234567892"),
    ("]d2", b"010690123456789221SN7\x1d1712"),
    ("]Q1", b"https://example.org/01/06901234567892/21/SN7"),
    ("", b"SL/ABC123/RETURN"),
    ("", b"424" + b"7" * 25),
    ("", b"110101199003074477"),
)
TORN = 4  # what memory was too short for is to be read again
MOST = 200_000  # allocations of a job
# CPython itself says SystemError where it forgot to say MemoryError.
REFUSED = (MemoryError, JournalError, SystemError)


class Refused(Exception):
    """A job did what it must not where memory was refused."""


def demand(true, what):
    if not true:
        raise Refused(what)


def classify():
    wanted = [trace_code.classify(*one, RULES) for one in SYMBOLS]

    def job(keep):
        for one in SYMBOLS:
            keep.append(trace_code.classify(*one, RULES))

    def check(found):
        for one, right in zip(found, wanted):
            demand(one in (right, (TORN, 0)), "%s, not %s" % (one, right))

    return job, check


RULES = {"own": ["{x6-100}"], "personal": ["1{d10}"], "links": ["*/{code}"], "token": "ABC123"}


def payload(seq, prev):
    return record.scan(
        seq, prev, 1_795_000_000_000, 2, 7, 4711, 1, "", SYMBOLS[0][1], 1, None, "W-1", False, "site", None
    )


def records():
    prev = bytes(32)
    wanted = cose.sign1(b"d-1", payload(1, prev), record.AAD_SCAN, lambda message: KEY + KEY)

    def job(keep):
        keep.append(cose.sign1(b"d-1", payload(1, prev), record.AAD_SCAN, lambda message: KEY + KEY))

    def check(found):
        demand(found in ([], [wanted]), "a record is not as it always is")

    return job, check


def opened():
    good = cose.mac0(KID, cbor.dumps({1: 1, 2: 9, 3: bytes(32), 4: 0, 5: 0}), record.AAD_VERDICT, KEY)
    bad = good[:-1] + bytes((good[-1] ^ 1,))

    def job(keep):
        try:
            keep.append(cose.open_mac0(bad, record.AAD_VERDICT, KEY, KID))
        except cose.CoseError:
            pass
        keep.append(cose.open_mac0(good, record.AAD_VERDICT, KEY, KID))

    def check(found):
        demand(found in ([], [{1: 1, 2: 9, 3: bytes(32), 4: 0, 5: 0}]), "a message is opened as %s" % found)

    return job, check


def journal():
    start = Nor(8)
    Journal.format(start, ID)
    first = Journal(start, ID)
    first.recover()
    for seq in range(1, 40):
        first.append(seq, bytes((seq,)) * 300)
        first.free(max(0, seq - 4))
        while first.idle(seq * 60_000, 1000):
            pass
    state = {}

    def job(keep):
        state.clear()
        flash = state["flash"] = start.clone(5)
        box = Journal(flash, ID)
        box.recover()
        for seq in range(box.newest + 1, box.newest + 4):
            box.append(seq, bytes((seq,)) * 300)
            keep.append(seq)
            box.free(seq - 3)
            box.idle(seq * 60_000, 1000)

    def check(found):
        if not state:
            return
        newest = max(found) if found else first.newest
        for _ in range(2):
            box = Journal(state["flash"], ID)
            box.recover()
            demand(newest <= box.newest <= newest + 1, "newest is %d, not %d" % (box.newest, newest))
            for seq in range(box.freed + 1, box.newest + 1):
                demand(box.read(seq) == bytes((seq,)) * 300, "record %d is lost" % seq)
            newest = box.newest + 1
            box.append(newest, bytes((newest,)) * 300)
        demand(not state["flash"].violations, "flash rules broken")

    return job, check


def run(job, check, start, stride):
    refused = 0
    for nth in range(start, MOST, stride):
        found, raised = [], None
        gc.collect()
        gc.disable()
        _testcapi.set_nomemory(nth, nth + 1)
        try:
            job(found)
        except REFUSED as error:
            raised = error
        finally:
            _testcapi.remove_mem_hooks()
        gc.enable()
        check(found)
        refused += 1
        if raised is None and clean(job, nth):
            return refused
    raise Refused("never ends")


def clean(job, nth):
    """Whether the job asks for memory fewer than `nth` times."""
    _testcapi.set_nomemory(nth, 0)
    try:
        job([])
    except REFUSED:
        return False
    finally:
        _testcapi.remove_mem_hooks()
    return True


def main():
    job, check = {"classify": classify, "records": records, "opened": opened, "journal": journal}[sys.argv[1]]()
    found = []
    job(found)  # whatever is made once is there
    check(found)
    print(run(job, check, int(sys.argv[2]), int(sys.argv[3])))


if __name__ == "__main__":
    main()
