"""What a power cut leaves of SQLite's log: whole transactions, and a ledger from which the bridge goes on."""

import os
import random
import shutil
from pathlib import Path

import sqlalchemy as sa

from host_bridge.ledger.backup import examine
from tests.bridge.world import CODES, World

SALES = 8
_HEADER = 32  # bytes before the log's first frame: sqlite.org/fileformat2.html#the_write_ahead_log
CUTS = 1_000 if os.environ.get("SCANLATCH_FULL") else 24


def test_torn_log_opens_with_whole_transactions_and_the_bridge_goes_on(tmp_path: Path) -> None:
    first, folder = World(tmp_path), tmp_path
    till = first.terminal()
    first.sell(till, *CODES[:2])
    for code in CODES[2:SALES]:  # the platform was not told of these yet
        first.deliver(till, till.scan(code))
    size = (folder / "ledger.sqlite-wal").stat().st_size
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    seen: set[int] = set()
    for number in range(CUTS):
        cut = size * number // (CUTS - 1)
        place = folder / f"cut-{number}"
        place.mkdir()
        for name in ("ledger.sqlite", "ledger.sqlite-wal"):
            shutil.copy(folder / name, place / name)
        _tear(place / "ledger.sqlite-wal", cut, chance)
        world = World(place)
        world.agreement, world.platform = first.agreement, first.platform
        world.ledger.close()
        world.start()
        examine(world.ledger)
        with world.ledger.read() as connection:
            records, upto = connection.execute(sa.text("SELECT count(*), max(upto) FROM scans, devices")).one()
        seen.add(records)
        if upto is not None:  # its enrolment was on the disk
            assert records == upto, f"seed {seed}, cut at {cut}: half a transaction"
            till.world = world
            world.outlet.sent.clear()
            world.deliver(till, *till.messages.values())
            world.settle()
            last = {seq: (outcome, reason) for seq, outcome, reason in till.outcomes()}
            assert last == dict.fromkeys(range(1, SALES + 1), (0, 0)), f"seed {seed}, cut at {cut}"
            assert all(world.platform.sold(code) == 1 for code in CODES[:SALES]), f"seed {seed}, cut at {cut}"
        world.close()
    assert len(seen) > SALES // 2, "cuts fell between the transactions"
    assert max(seen) == SALES
    first.close()


def _tear(path: Path, cut: int, chance: random.Random) -> None:
    """The log up to `cut`; what follows never came, came as zeros, as frames of before, or as whatever lay there."""
    whole = path.read_bytes()
    rest = len(whole) - cut
    kind = chance.choice(["nothing", "zeros", "garbage", "earlier"])
    earlier = whole[_HEADER : _HEADER + rest]
    tail = {"nothing": b"", "zeros": bytes(rest), "garbage": chance.randbytes(rest), "earlier": earlier}[kind]
    path.write_bytes(whole[:cut] + tail)
