# One life of a journal on the twin's flash: what it finds, what it keeps.
#
# Usage: journal_process.py SALT RECORDS. Lines: "found SEQ DIGEST", "kept SEQ DIGEST", "freed SEQ".
import sys
from binascii import hexlify

from esp32 import NVS, Partition
from scanlatch.keep.journal import Journal
from scanlatch.keep.store import Nvs

salt, records = int(sys.argv[1]), int(sys.argv[2])
flash = Partition.find(Partition.TYPE_DATA, label="scanlog")[0]
nvs = Nvs(NVS("scanlatch"))
if nvs.get_bytes("journal") is None:
    Journal.format(flash, b"process1")
    nvs.set_bytes("journal", b"process1")
journal = Journal(flash, nvs.get_bytes("journal"))
journal.recover()
if journal.fault:
    raise SystemExit(journal.fault)


def digest(seq):
    return hexlify(journal.digest(seq)).decode()


for seq in range(max(journal.oldest, journal.freed + 1), journal.newest + 1):
    print("found", seq, digest(seq))
for i in range(records):
    seq = journal.newest + 1
    while True:
        journal.idle(i * 20_000, 1000)
        if journal.room:
            break
    journal.append(seq, bytes([seq & 0xFF, salt]) * (60 + seq * 37 % 400))
    print("kept", seq, digest(seq))
    if seq % 5 == 0:
        journal.free(seq - 3)
        print("freed", seq - 3)
