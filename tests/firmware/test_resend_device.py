"""The order of publishing runs for hours on the device's own interpreter, which knows less than CPython."""

from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

_HOURS = """
from scanlatch.send.resend import Resend

class Journal:
    newest = freed = 0
    oldest = 1

class Clock:
    now = 0
    def ms(self):
        return self.now

journal, clock = Journal(), Clock()
order = Resend(journal, clock)
order.connected()
for seq in range(1, 401):
    journal.newest = seq
    clock.now += 1500
    order.sent(order.next())
    order.acknowledged(seq)
    if {receipts}:
        journal.freed = seq
        order.freed()
print(len(order._times) // 2, order.oldest_is_due(), order.next())
"""


def _run(receipts: bool) -> list[str]:
    code = _HOURS.replace("{receipts}", str(receipts))
    done = interpreter.run(["-c", code], interpreter.search_path(places.firmware(), stand_ins=False))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_times_of_acknowledgement_are_bounded_without_receipts() -> None:
    count, due, following = _run(receipts=False)
    assert int(count) <= 32
    assert (due, following) == ("True", "1")


def test_times_of_what_was_receipted_are_forgotten() -> None:
    count, due, following = _run(receipts=True)
    assert int(count) <= 1
    assert (due, following) == ("False", "None")
