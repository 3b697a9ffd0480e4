"""An evidence bundle proves what its terminals signed to whoever trusts the CA, and any change to it is found."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.serialization import Encoding
from scanlatch_tools import certificates
from scanlatch_tools.evidence import verify
from scanlatch_tools.evidence.certify import issue
from scanlatch_tools.evidence.verify import PROVED, UNREADABLE, WRONG

from host_bridge.audit import bundle, choice
from host_bridge.audit.bundle import RECORD
from host_bridge.audit.choice import Choice
from host_bridge.errors import BadInput, NotFound, PermanentError
from host_bridge.ledger.audit import Books, opened
from host_bridge.ledger.schema import scans
from host_bridge.wire import Clock, digest
from tests.bridge.world import CODES, NOW, SITE
from tests.tools.evidence_case import DEVICES, Case, checked, items, new_case, sealed
from tests.wire_peer import point


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """Two terminals; a box is sold, asked about by the other, and returned; heads in between."""
    made = new_case(tmp_path_factory.mktemp("evidence"))
    yield made
    made.world.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Case]:
    """One that a test may change."""
    made = new_case(tmp_path)
    yield made
    made.world.close()


def test_a_bundle_proves_each_record_up_to_the_head_that_names_it(case: Case) -> None:
    data = case.export()
    status, told = case.check(data)
    assert status == PROVED, told
    assert "2026-09-21 14:13:20 UTC by a clock that was synchronised since its start; sale, site clinic-7" in told
    assert f"read '{CODES[0]}'. Verdict, by the ledger: accepted, reason 0" in told
    assert "Records 2 to 3: each is signed by d-window-01" in told
    assert "Records 6 to 6: each is signed by d-window-01" in told
    assert "Records 1 to 1: each is signed by d-window-02" in told
    assert "record 3 was the newest then" in told
    assert hashlib.sha256(data).hexdigest() in told
    assert CODES[1] not in told
    assert [one[1] for one in items(data) if one[0] == RECORD] == [2, 3, 6, 1]


def test_a_time_that_the_bridge_worked_out_stands_beside_the_terminals_own(own: Case) -> None:
    till, world = own.tills[0], own.world
    message = till.scan(CODES[7], clock=Clock.NEVER_SET, captured_at=1_767_225_600_000, offline=True)
    world.clock.ms += 3_600_000
    world.deliver(till, till.head(), kind="head")
    world.deliver(till, message)
    status, told = own.check(own.export(lambda books: choice.of_code(books, CODES[7])))
    assert status == PROVED, told
    assert "2026-01-01 00:00:00 UTC by a clock that was never set; sale" in told
    assert "; captured 2026-09-21 14:13:20 UTC by the ledger, known by uptime" in told


def test_the_same_ledger_gives_the_same_bytes(case: Case) -> None:
    assert case.export() == case.export()


def test_a_resealed_copy_is_the_bundle_itself(case: Case) -> None:
    data = case.export()
    assert sealed(items(data)) == data


def test_an_older_bundle_says_how_far_it_goes(own: Case) -> None:
    old = own.export()
    own.world.sell(own.tills[0], CODES[7])
    own.world.deliver(own.tills[0], own.tills[0].head(), kind="head")
    all_of_it: Callable[[Books], Choice] = lambda books: choice.of_device(books, DEVICES[0], None, None)  # noqa: E731
    assert "record 7 was the newest then" in own.check(own.export(all_of_it))[1]
    status, told = own.check(old)
    assert status == PROVED
    assert "Up to the head of boot 1, connection 1" in told
    assert "record 7" not in told


def test_what_no_head_has_named_yet_is_proved_and_said_to_be_open(own: Case) -> None:
    own.world.sell(own.tills[0], CODES[7], CODES[8])
    status, told = own.check(own.export(lambda books: choice.of_code(books, CODES[7])))
    assert status == PROVED
    assert "No head is shown that says whether record 7 was the newest" in told


def test_another_ca_is_refused_and_without_one_nothing_is_proved(case: Case) -> None:
    data = case.export()
    key = certificates.new_key()
    other = certificates.make_ca(key, "Scanlatch CA test")
    status, told = case.check(data, other.public_bytes(Encoding.DER))
    assert status == WRONG
    assert "another CA" in told
    assert checked(data)[0] == UNREADABLE
    found = hashlib.sha256(case.ca_der).hexdigest()
    assert checked(data, fingerprint=found.upper())[0] == PROVED
    assert checked(data, fingerprint=found[::-1])[0] == WRONG
    of_other = [[one[0], other.public_bytes(Encoding.DER)] if one[0] == bundle.CA else one for one in items(data)]
    assert case.check(sealed(of_other), other.public_bytes(Encoding.DER))[0] == WRONG


@pytest.mark.parametrize("what", ["other CA", "TLS certificate", "other id", "other key"])
def test_a_terminal_that_the_ca_did_not_certify_for_evidence_is_refused(own: Case, what: str) -> None:
    key, peer = certificates.new_key(), own.tills[0].peer
    ca = certificates.make_ca(key, "Scanlatch CA test")
    mine, other = point(peer.signing), point(own.tills[1].peer.signing)
    path = own.folder / f"{DEVICES[0]}.der"
    made = {
        "other CA": issue(own.ca, key, DEVICES[0], mine),
        "TLS certificate": certificates.issue_client(ca, key, peer.signing.public_key(), DEVICES[0]),
        "other id": issue(ca, key, DEVICES[1], mine),
        "other key": issue(ca, key, DEVICES[0], other),
    }[what]
    path.write_bytes(made.public_bytes(Encoding.DER))
    data = own.export(lambda books: choice.of_device(books, DEVICES[0], None, None))
    if what != "other CA":
        own = own._replace(ca=ca)
        data = own.export(lambda books: choice.of_device(books, DEVICES[0], None, None))
    status, told = own.check(data)
    assert status == WRONG
    assert "certif" in told


def test_a_terminal_that_signed_twice_is_told(own: Case) -> None:
    till = own.tills[0]
    till.seq, till.last = 2, digest(till.messages[2])
    own.world.deliver(till, till.scan(CODES[9]))
    status, told = own.check(own.export(lambda books: choice.of_device(books, DEVICES[0], 2, 3)))
    assert status == WRONG
    assert "signed two different records 3" in told


def test_what_a_terminal_lost_is_told_with_whether_a_head_says_so(own: Case) -> None:
    till, world = own.tills[0], own.world
    till.scan(CODES[7])
    world.sell(till, CODES[8])
    world.deliver(till, till.head(missing=((7, 7),)), kind="head")
    status, told = own.check(own.export(lambda books: choice.of_device(books, DEVICES[0], 5, None)))
    assert (status, "7 to 7 of d-window-01 are not here (lost" in told) == (WRONG, True)
    assert "a head says that it has them no more" in told
    with world.ledger.write() as connection:
        connection.execute(sa.delete(scans).where(scans.c.device == DEVICES[0], scans.c.seq == 3))
    told = own.check(own.export(lambda books: choice.of_device(books, DEVICES[0], 2, 4)))[1]
    assert "3 to 3 of d-window-01 are not here (absent, the bundle says), and no head bears that out" in told


def test_what_could_not_be_read_is_shown_by_its_digest_and_told(own: Case) -> None:
    till, world = own.tills[0], own.world
    till.keep(b"\xd2 garbage")
    world.deliver(till, b"\xd2 garbage")
    world.sell(till, CODES[8])
    world.deliver(till, till.head(), kind="head")
    data = own.export(lambda books: choice.of_device(books, DEVICES[0], 5, None))
    assert b"garbage" not in data
    status, told = own.check(data)
    assert status == WRONG
    assert "records 7 to 7 of d-window-01 are not here (unreadable, the bundle says)" in told
    assert "Records 5 to 8: " in told


def test_a_day_and_a_range_choose_what_they_say(case: Case) -> None:
    def chosen(choose: Callable[[Books], Choice]) -> dict[str, list[tuple[int, int]]]:
        with opened(case.world.url) as books:
            return choose(books).chosen

    assert NOW == 1_790_000_000_000  # 2026-09-21, 14:13:20 UTC; at +10:00 the next day
    both = {DEVICES[0]: [(1, 6)], DEVICES[1]: [(1, 1)]}
    assert chosen(lambda books: choice.of_day(books, "2026-09-21", SITE, "+00:00")) == both
    assert chosen(lambda books: choice.of_day(books, "2026-09-22", SITE, "+10:00")) == both
    assert chosen(lambda books: choice.of_device(books, DEVICES[0], 2, 99)) == {DEVICES[0]: [(2, 6)]}
    wrong: list[Callable[[Books], Choice]] = [
        lambda books: choice.of_day(books, "2026-09-22", SITE, "+00:00"),
        lambda books: choice.of_day(books, "2026-09-21", "pharmacy-3", "+00:00"),
        lambda books: choice.of_day(books, "yesterday", SITE, "+00:00"),
        lambda books: choice.of_device(books, DEVICES[0], 7, 8),
        lambda books: choice.of_device(books, "d-nobody", None, None),
        lambda books: choice.of_code(books, CODES[40]),
    ]
    for one in wrong:
        with pytest.raises((NotFound, BadInput)):
            chosen(one)


def test_evidence_is_never_written_over_and_needs_certificates(own: Case) -> None:
    own.export()
    with opened(own.world.url) as books:
        about = choice.of_code(books, CODES[0])
        with pytest.raises(PermanentError, match="never written over"):
            bundle.write(books, about, own.ca_der, own.folder, own.folder / "bundle")
        (own.folder / f"{DEVICES[1]}.der").unlink()
        with pytest.raises(PermanentError, match="scanlatch audit certify"):
            bundle.write(books, about, own.ca_der, own.folder, own.folder / "other")
    assert not list(own.folder.glob("other*"))


def test_the_verifier_runs_by_itself_and_says_what_it_proves(case: Case, tmp_path: Path) -> None:
    (tmp_path / "bundle").write_bytes(case.export())
    (tmp_path / "ca.pem").write_bytes(case.ca.public_bytes(Encoding.PEM))
    alone = tmp_path / "verify.py"
    alone.write_bytes(Path(verify.__file__).read_bytes())

    def run(*options: str) -> tuple[int, str]:
        command = [sys.executable, "-I", str(alone), *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    status, told = run("bundle", "--ca", "ca.pem")
    assert (status, "\nPROVED: " in told, "NOT PROVED:" in told) == (0, True, True)
    assert "verdicts" in told
    status, told = run("bundle")
    assert (status, "\nPROVED: " in told, "NOT PROVED: anything" in told) == (2, False, True)
    (tmp_path / "bundle").write_bytes(case.export()[:-1])
    status, told = run("bundle", "--ca", "ca.pem")
    assert (status, "WRONG: item" in told, "\nPROVED: " in told) == (1, True, False)
    assert run("ca.pem", "--ca", "ca.pem")[0] == 2
    assert run("nothing", "--ca", "ca.pem")[0] == 2
    assert run("bundle", "--ca", "bundle")[0] == 2
    imported = [
        line.split()[1].split(".")[0]
        for line in alone.read_text().splitlines()
        if line.startswith(("import ", "from "))
    ]
    assert set(imported) <= {*sys.stdlib_module_names, "cryptography"}
