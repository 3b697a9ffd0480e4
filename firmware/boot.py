# Runs before everything else and is never updated over the air: chooses the slot, and takes back one that fails.
import micropython

micropython.alloc_emergency_exception_buf(100)


def start():
    import os
    import sys
    from binascii import crc32

    def there(slot):
        # Whether all of it is: `whole` is made last and goes first.
        try:
            os.stat(slot + "/whole")
            return True
        except OSError:
            return False

    # File `slot`, as keep/files writes it: which runs, which is on trial ("-": none), its starts, and what is not ours.
    told = []
    try:
        with open("slot", "rb") as file:
            raw = file.read(64)
        if crc32(raw[:-4]).to_bytes(4, "little") == raw[-4:]:
            told = raw[:-4].decode().split()
    except (OSError, ValueError):  # then any slot that is whole
        pass
    if len(told) == 5 and told[1] in "ab" and told[2] < "3" and there(told[1]):
        told[2] = str(int(told[2]) + 1)
        raw = " ".join(told).encode()
        try:
            with open("slot.new", "wb") as file:
                file.write(raw + crc32(raw).to_bytes(4, "little"))
            os.rename("slot.new", "slot")
            from machine import WDT, Timer, reset

            WDT(timeout=60_000)  # until the one on trial has its own
            # It is to reach the broker by then, and takes this timer away (system/trial).
            Timer(0).init(period=900_000, mode=Timer.ONE_SHOT, callback=lambda _: reset())
            told.insert(0, told[1])
        except OSError:  # a start that can't be counted is none of a trial
            pass
    for slot in told[:1] + ["a", "b"]:
        if there(slot):
            sys.path.insert(0, slot)
            return


start()
del start
