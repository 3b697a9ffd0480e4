# The life of one scan: what becomes a record and what doesn't, and what the person is shown.
from cases import equal
from scanlatch import scan
from scanlatch.keep.journal import Journal
from scanlatch.prove import cbor
from scanlatch.prove.signer import Signer
from scanlatch.scan import Scanner
from system_desk import clock as _clock

from nor import Nor

CODE, OTHER = b"83386520001941653320", b"83386520001941653321"


class Box:
    """What a scanner is wired to, but for the journal and the signer."""

    online = False
    operation = 1
    operator = None
    used_ms = 0
    said = ""

    def __init__(self, **settings):
        self.shown, self.counted, self.told_aside = [], [], []
        self.clock, self.ticks = _clock()
        self.signer = Signer(bytes(range(32)), 1, bytes)
        flash = Nor(16)
        Journal.format(flash, b"scanlog1")
        self.journal = Journal(flash, b"scanlog1")
        self.journal.recover()
        parts = self.clock, self.journal, self.signer, self, self
        settings.update({"site": "clinic-7", "device": "d-1"})
        self.scanner = Scanner(settings, 1, self, parts, self, self, self.aside)

    def session(self):
        return None

    def count(self, name):
        self.counted.append(name)

    def show(self, name):
        self.shown.append(name)

    def kept(self, seq, operation, online):
        self.shown.append(seq)

    def refused(self, pattern):
        self.said = pattern

    def wake(self):
        pass

    def aside(self, kind, symbology, data):
        self.told_aside.append((kind, data))

    def read(self, data, after_ms=0, symbology="]C0"):
        """What is shown for a symbol that is read so long after the one before."""
        self.ticks.now += after_ms
        del self.shown[:]
        self.scanner.on_frame(symbology, data)
        return self.shown


def test_a_signature_that_memory_has_no_room_for_is_refused_as_busy_and_leaves_no_gap():
    box = Box()
    sign = box.signer.sign
    for error in (MemoryError, OSError):

        def fails(message):
            raise error

        box.signer.sign = fails
        equal(box.read(CODE), ["read", "busy"])
        equal((box.journal.newest, box.counted, box.scanner.fault), (0, ["read", "refused_full"], None))
        box.counted.clear()
    box.signer.sign = sign
    equal(box.read(CODE), ["read", "kept", 1])  # at once: a refused code is no bounce
    equal(box.journal.newest, 1)


def test_the_same_code_within_the_window_is_a_tick_and_no_record():
    box = Box()
    equal(box.read(CODE, 5000), ["read", "kept", 1])
    equal(box.read(CODE, 1499), ["bounce"])
    equal((box.journal.newest, box.counted), (1, ["read", "kept", "bounced"]))


def test_the_same_code_after_the_window_is_a_scan_of_its_own():
    box = Box()
    equal(box.read(CODE), ["read", "kept", 1])
    equal(box.read(CODE, 1500), ["read", "kept", 2])


def test_the_window_is_a_setting():
    box = Box(rescan_ms=300)
    equal(box.read(CODE), ["read", "kept", 1])
    equal(box.read(CODE, 299), ["bounce"])
    equal(box.read(CODE, 300), ["read", "kept", 2])
    equal(Box(rescan_ms=0).read(CODE), ["read", "kept", 1])


def test_what_could_not_be_told_for_want_of_room_may_be_read_again_at_once():
    box = Box()
    scan_load = scan.load

    def fails(name):
        raise MemoryError

    scan.load = fails
    try:
        equal(box.read(b"6901234567892"), ["read", "busy"])
    finally:
        scan.load = scan_load
    equal(box.read(b"6901234567892", 500), ["read", "wrong_symbol"])


def test_another_code_in_between_never_blocks():
    box = Box()
    for number, code in enumerate((CODE, OTHER, CODE, b"HELLO WORLD", CODE, b"SL/ABC123/SALE", CODE)):
        equal((number, box.read(code, 20)[0]), (number, "read"))
    equal(box.journal.newest, 5)


def test_a_torn_reading_in_between_makes_no_second_record_of_the_same_box():
    box = Box()
    equal(box.read(CODE), ["read", "kept", 1])
    for torn in (b"", CODE[:13], b""):
        equal(box.read(torn, 100), ["read", "torn"])
        equal(box.read(CODE, 100), ["bounce"])
    equal(box.read(b"", 1500), ["read", "torn"])
    equal(box.read(b"", 1499), ["bounce"])
    equal(box.read(CODE, 100), ["read", "kept", 2])


def test_a_box_left_under_the_beam_is_one_scan_until_it_was_away():
    box = Box()
    equal(box.read(CODE), ["read", "kept", 1])
    for _ in range(20):  # an engine reads it again and again, for ten seconds
        equal(box.read(CODE, 500), ["bounce"])
    equal(box.read(CODE, 1500), ["read", "kept", 2])


def test_a_wrong_symbol_that_lies_there_is_told_once():
    box = Box()
    equal(box.read(b"6901234567892", symbology="]E0"), ["read", "wrong_symbol"])
    equal(box.read(b"6901234567892", 500, "]E0"), ["bounce"])
    equal(box.counted, ["read", "wrong_symbol", "product", "bounced"])


def test_nothing_of_a_person_is_held_for_the_next_scan():
    box = Box()
    credential = b"424" + b"12345" * 5
    box.read(credential)
    equal(box.told_aside, [(3, credential)])
    equal([value for value in box.scanner.__dict__.values() if value == credential], [])
    equal(box.read(credential, 500), ["bounce"])
    equal(len(box.told_aside), 1)


def test_what_is_no_code_is_told_apart_and_counted_by_kind():
    for data, symbology, counter, pattern in (
        (b"6901234567892", "]E0", "product", "wrong_symbol"),
        (b"HELLO WORLD", "]C0", "unknown", "unknown_symbol"),
        (b"", "", "torn", "torn"),
        (b"11010519491231002X", "]C0", "personal", "personal"),
        (CODE + OTHER, "]C0", "glued", "glued"),
    ):
        box = Box()
        equal(box.read(data, symbology=symbology), ["read", pattern])
        equal(box.counted, ["read", "wrong_symbol", counter])
        equal(box.said, pattern)
        equal(box.journal.newest, 0)


def test_a_case_is_refused_at_a_window_and_taken_at_a_dock():
    case = b"0116901234567899215A"  # packaging indicator 1
    box = Box()
    equal(box.read(case, symbology="]C1"), ["read", "case_code"])
    box.operation = 3
    equal(box.read(case, 5000, "]C1"), ["read", "kept", 1])


def test_a_control_code_goes_aside_and_its_record_names_its_target():
    box = Box()
    box.read(CODE)
    equal(box.read(b"SL/ABC123/CANCEL"), ["read"])
    equal(box.told_aside, [(7, b"SL/ABC123/CANCEL")])
    equal(box.scanner.keep("]C0", b"SL/ABC123/CANCEL", 5, 7, 1), True)
    scan = cbor.loads(cbor.loads(box.journal.read(2)).value[2])
    equal((scan[8], scan[10], scan[11], scan[16]), (7, b"SL/ABC123/CANCEL", 5, 1))


def test_in_fault_nothing_is_kept_and_wrong_symbols_are_told_as_ever():
    box = Box()
    box.scanner.fault = "store"
    equal(box.read(CODE), ["read", "fault_refused"])
    equal(box.scanner.keep("]C0", b"SL/ABC123/CANCEL", 5, 7, "store"), False)
    equal(box.read(b"6901234567892", symbology="]E0"), ["read", "wrong_symbol"])
    equal(box.journal.newest, 0)
