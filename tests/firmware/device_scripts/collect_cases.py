# Whether garbage is collected while a symbol is read and kept, and what that takes of the heap.
import gc

from cases import equal
from scan_cases import CODE, Box

_BLOCKS = 200
_BLOCK = 1000
# Behind a collection 30 KB are free, and the idle task collects once 16 KB were allocated since: what a scan may take
# before the interpreter would have to collect by itself.
_SHARE = 14 * 1024


def _lay_out_garbage():
    for _ in range(_BLOCKS):
        bytearray(_BLOCK)


def _took(read):
    """Bytes that a call allocated; far below 0 where garbage was collected meanwhile."""
    gc.collect()
    gc.threshold(-1)
    _lay_out_garbage()
    before = gc.mem_alloc()
    read()
    return gc.mem_alloc() - before


def test_a_collection_shows():
    equal(_took(gc.collect) < -_BLOCKS * _BLOCK // 2, True)


def test_a_plain_code_is_read_signed_and_kept_without_a_collection():
    box = Box()
    while box.signer.prepare():
        pass
    box.read(CODE)
    for number in range(20):
        while box.signer.prepare():
            pass
        while box.journal.idle(number * 60_000, 300):
            pass
        code = CODE[:-2] + bytes([48 + number // 10, 48 + number % 10])
        took = _took(lambda: box.read(code, 2000))
        equal(box.shown[1], "kept")
        if not 0 < took < _SHARE:
            raise AssertionError("%d bytes" % took)
