# The small stores, on the twin's key-value store and files in the current folder.
import os

import esp32
from cases import equal, raises
from scanlatch.keep.files import read_file, write_file
from scanlatch.keep.store import Nvs, StoreFault


_OPENED = esp32.NVS("scanlatch")  # once: as on the chip none is ever closed


def nvs():
    return Nvs(_OPENED)


def damage(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def test_a_number_of_64_bits_survives():
    for number in (0, 1, 1 << 31, (1 << 63) - 1):
        nvs().set_int("boot", number)
        equal(nvs().get_int("boot"), number)


def test_numbers_out_of_range_are_refused():
    raises(StoreFault, nvs().set_int, "boot", -1)
    raises(StoreFault, nvs().set_int, "boot", 1 << 63)


def test_what_was_never_set_is_none():
    equal((nvs().get_int("never"), nvs().get_bytes("never")), (None, None))
    nvs().erase("never")


def test_bytes_survive_and_are_erased():
    nvs().set_bytes("key", bytes(range(256)))
    equal(nvs().get_bytes("key"), bytes(range(256)))
    nvs().erase("key")
    equal(nvs().get_bytes("key"), None)


def test_namespaces_are_apart():
    nvs().set_bytes("mine", b"1")
    equal(Nvs(esp32.NVS("other")).get_bytes("mine"), None)


def test_a_value_of_another_type_or_size_is_a_fault():
    raw = esp32.NVS("scanlatch")
    raw.set_i32("number", 5)
    raw.set_blob("long", bytes(600))
    raw.set_blob("short", bytes(4))
    raw.commit()
    equal(raises(StoreFault, nvs().get_bytes, "number").name, "number")
    raises(StoreFault, nvs().get_bytes, "long")
    raises(StoreFault, nvs().get_int, "short")
    raises(StoreFault, nvs().set_bytes, "long", bytes(513))


def test_a_name_too_long_for_the_chip_is_a_fault():
    raises(StoreFault, nvs().set_int, "a_name_of_16_chr", 1)


def test_what_is_not_committed_is_gone():
    raw = esp32.NVS("scanlatch")
    raw.set_i32("loose", 1)
    equal(raw.get_i32("loose"), 1)
    raises(OSError, esp32.NVS("scanlatch").get_i32, "loose")


def test_a_file_comes_back():
    for size in (0, 1, 700, 16384):
        write_file("some.bin", bytes([size & 0xFF]) * size)
        equal(read_file("some.bin"), bytes([size & 0xFF]) * size)
    equal(sorted(name for name in os.listdir() if name.startswith("some")), ["some.bin"])


def test_a_missing_file_is_none():
    equal(read_file("nothing.bin"), None)


def test_a_damaged_file_is_a_fault_that_names_it():
    for at in (0, 50, 103):
        write_file("hurt.bin", bytes(100))
        damage("hurt.bin", at)
        equal(raises(OSError, read_file, "hurt.bin").args[0], "hurt.bin: damaged")
    with open("hurt.bin", "wb") as file:
        file.write(b"abc")
    raises(OSError, read_file, "hurt.bin")


def test_a_file_left_half_written_by_a_cut_is_passed_over():
    write_file("cut.bin", b"old")
    with open("cut.bin.new", "wb") as file:
        file.write(b"ne")
    equal(read_file("cut.bin"), b"old")
    write_file("cut.bin", b"newer")
    equal(read_file("cut.bin"), b"newer")


def test_too_large_a_file_is_refused_before_it_is_read():
    raises(OSError, write_file, "large.bin", bytes(16385))
    with open("large.bin", "wb") as file:
        file.write(bytes(20000))
    raises(OSError, read_file, "large.bin")


def test_a_folder_that_is_not_there_is_a_fault():
    raises(OSError, write_file, "nowhere/a.bin", b"x")
