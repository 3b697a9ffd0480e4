# A scan that can't be kept: what the person is shown, and that the next one is as good as any.
from cases import equal
from scanlatch.keep.journal import Journal
from scanlatch.prove.signer import Signer
from scanlatch.scan import Scanner
from system_desk import clock as _clock

from nor import Nor

CODE = b"83386520001941653320"


class Box:
    """What a scanner is wired to, but for the journal and the signer."""

    online = False
    operation = 1
    operator = None

    def __init__(self):
        self.shown, self.counted = [], []
        self.clock, self.ticks = _clock()
        self.signer = Signer(bytes(range(32)), 1, bytes)
        flash = Nor(16)
        Journal.format(flash, b"scanlog1")
        self.journal = Journal(flash, b"scanlog1")
        self.journal.recover()
        parts = self.clock, self.journal, self.signer, self, self
        self.scanner = Scanner({"site": "clinic-7", "device": "d-1"}, 1, self, parts, self, self)

    def session(self):
        return None

    def count(self, name):
        self.counted.append(name)

    def show(self, name):
        self.shown.append(name)

    def kept(self, seq, operation, online):
        self.shown.append(seq)

    def wake(self):
        pass


def test_a_signature_that_memory_has_no_room_for_is_refused_as_busy_and_leaves_no_gap():
    box = Box()
    sign = box.signer.sign
    for error in (MemoryError, OSError):

        def fails(message):
            raise error

        box.signer.sign = fails
        box.scanner.on_frame("]C0", CODE)
        equal(box.shown, ["read", "busy"])
        equal((box.journal.newest, box.counted, box.scanner.fault), (0, ["read", "refused_full"], None))
        box.shown.clear()
        box.counted.clear()
    box.signer.sign = sign
    box.scanner.on_frame("]C0", CODE)  # at once: a refused code is no bounce
    equal(box.shown, ["read", "kept", 1])
    equal(box.journal.newest, 1)
