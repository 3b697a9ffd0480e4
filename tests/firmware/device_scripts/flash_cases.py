# The twin's flash is as strict as NOR: what the journal's tests rely on.
import os

import esp32
from cases import equal, raises
from nor import Nor, PowerCut


def read(flash, block=0, offset=0, size=4):
    buf = bytearray(size)
    flash.readblocks(block, buf, offset)
    return bytes(buf)


def test_a_program_only_clears_bits():
    flash = Nor(4)
    flash.writeblocks(1, b"\xf0\xf0", 8)
    equal(read(flash, 1, 7), b"\xff\xf0\xf0\xff")
    flash.writeblocks(1, b"\x0f\xff", 8)
    equal(read(flash, 1, 8, 2), b"\x00\xf0")
    equal([what for what, *_ in flash.violations], ["programmed twice", "bit must rise"])


def test_programming_the_same_bytes_again_is_a_violation():
    flash = Nor(4)
    flash.writeblocks(0, b"ab", 0)
    flash.writeblocks(0, b"cd", 2)
    equal(flash.violations, [])
    flash.writeblocks(0, b"ab", 0)
    equal(flash.violations, [("programmed twice", 0, 0, 2)])


def test_two_arguments_erase_first():
    flash = Nor(4)
    flash.writeblocks(2, b"abcd", 100)
    flash.writeblocks(2, bytes(4096))
    flash.writeblocks(2, b"\xaa" * 4096)
    equal((read(flash, 2), flash.erases, flash.programs, flash.violations), (b"\xaa" * 4, 2, 3, []))


def test_an_erase_makes_a_whole_sector_usable_again():
    flash = Nor(4)
    flash.writeblocks(1, bytes(4096), 0)
    flash.ioctl(6, 1)
    equal(read(flash, 1, 4092), b"\xff" * 4)
    flash.writeblocks(1, b"x", 4095)
    equal((flash.ioctl(4, 0), flash.ioctl(5, 0), flash.violations), (4, 4096, []))


def test_nothing_outside_is_read_or_written():
    flash = Nor(4)
    raises(OSError, flash.readblocks, 3, bytearray(2), 4095)
    raises(OSError, flash.writeblocks, 4, b"x", 0)
    raises(OSError, flash.ioctl, 6, 4)


def cut(kind, erase):
    flash = Nor(4, seed=5)
    flash.writeblocks(0, bytes(64), 0)
    flash.cut(1, kind)
    raised = False
    try:
        flash.ioctl(6, 0) if erase else flash.writeblocks(0, bytes(64), 64)
    except PowerCut:
        raised = True
    try:
        flash.writeblocks(1, b"x", 0)
        raised = False  # power was gone
    except PowerCut:
        pass
    equal(raised, True)
    flash.restart()
    return flash


def test_a_lost_operation_changes_nothing():
    equal(read(cut("lost", False), 0, 62), b"\0\0\xff\xff")
    equal(read(cut("lost", True), 0, 0), bytes(4))


def test_a_half_done_operation_is_done_up_to_somewhere():
    found = read(cut("half", False), 0, 64, 64)
    done = found.rstrip(b"\xff")
    equal((0 < len(done) < 64, done), (True, bytes(len(done))))
    equal(read(cut("half", True), 0, 0, 1), b"\xff")


def test_torn_cells_may_not_be_programmed_before_an_erase():
    for kind in ("half", "garbage", "unstable"):
        for erase in (False, True):
            flash = cut(kind, erase)
            flash.writeblocks(0, b"x", 4095 if erase else 127)
            equal(flash.violations[0][0], "programmed twice")
            flash.violations.clear()
            flash.ioctl(6, 0)
            flash.writeblocks(0, b"x", 127)
            equal((flash.violations, read(flash, 0, 126, 2)), ([], b"\xffx"))


def test_unstable_cells_read_differently_from_boot_to_boot():
    flash, found = cut("unstable", False), set()
    for _ in range(60):
        found.add(read(flash, 0, 64, 64))
        flash.restart()
    equal((bytes(64) in found, b"\xff" * 64 in found, len(found) > 4), (True, True, True))
    flash.ioctl(6, 0)
    equal(read(flash, 0, 64), b"\xff" * 4)


def test_a_file_remembers_what_was_programmed_and_what_is_undecided():
    flash = Nor(4, "kept.bin")
    flash.writeblocks(0, b"abcd", 0)
    flash.cut(1, "unstable")
    try:
        flash.writeblocks(1, bytes(64), 0)
    except PowerCut:
        pass
    found = set()
    for _ in range(40):
        flash = Nor(4, "kept.bin")
        found.add(read(flash, 1, 0, 64))
    equal((read(flash), len(found) > 2), (b"abcd", True))
    flash.writeblocks(0, b"abcd", 0)
    flash.writeblocks(1, b"x", 5)
    equal([what for what, *_ in flash.violations], ["programmed twice"] * 2)
    flash.ioctl(6, 1)
    equal((read(Nor(4, "kept.bin"), 1), os.stat("kept.bin.unstable")[6]), (b"\xff" * 4, 0))


def test_the_partition_is_found_by_its_name_only():
    find = esp32.Partition.find
    equal(find(esp32.Partition.TYPE_DATA, label="other"), [])
    equal(find(esp32.Partition.TYPE_APP), [])
    flash = find(esp32.Partition.TYPE_DATA, label="scanlog")[0]
    equal((flash.ioctl(4, 0), flash.ioctl(5, 0), flash.info()[4]), (8, 4096, "scanlog"))
    equal(raises(OSError, flash.writeblocks, 8, b"x", 0).args[0], -0x104)


def test_a_broken_rule_is_noted_and_not_raised():
    flash = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="scanlog")[0]
    flash.ioctl(6, 0)
    flash.writeblocks(0, b"ab", 0)
    flash.writeblocks(0, b"ab", 0)
    equal(read(flash, 0, 0, 2), b"ab")
    with open("violations.jsonl") as file:
        equal("programmed twice" in file.read(), True)
    with open("trace.jsonl") as file:
        equal("nor_violation" in file.read(), True)
