"""Whatever is changed in an evidence bundle, taken out of it or put into it is found."""

from collections.abc import Iterator

import cbor2
import pytest
from scanlatch_tools.evidence.verify import PROVED, WRONG

from host_bridge.audit import bundle, choice
from host_bridge.audit.bundle import DEVICE, GAP, HEAD, RECORD
from host_bridge.wire import digest
from tests.bridge.world import CODES, Terminal
from tests.tools.evidence_case import DEVICES, Case, items, new_case, records, sealed, whole


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    made = new_case(tmp_path_factory.mktemp("evidence"))
    yield made
    made.world.close()


def test_any_byte_that_is_changed_is_found(case: Case) -> None:
    data = case.export(lambda books: choice.of_device(books, DEVICES[1], None, None))
    assert case.check(data)[0] == PROVED
    for at in range(len(data)):
        for flip in (1, 0x80):
            changed = bytearray(data)
            changed[at] ^= flip
            assert case.check(bytes(changed))[0] != PROVED, at


def test_any_length_but_its_own_is_found(case: Case) -> None:
    data = case.export(lambda books: choice.of_device(books, DEVICES[1], None, None))
    for end in range(len(data)):
        assert case.check(data[:end])[0] != PROVED, end
    assert case.check(data + b"\0")[0] == WRONG


def test_any_signed_byte_that_is_changed_is_found_though_the_list_is_made_anew(case: Case) -> None:
    """Of a record only its verdict is not signed, and the verifier says that it proves none."""
    good = items(case.export(lambda books: choice.of_device(books, DEVICES[1], None, None)))
    for number, item in enumerate(good):
        for place, value in enumerate(item):
            if not isinstance(value, bytes) or item[0] == bundle.END:
                continue
            for at in range(len(value)):
                changed = bytearray(value)
                changed[at] ^= 1
                those = [*good[:number], [*item[:place], bytes(changed), *item[place + 1 :]], *good[number + 1 :]]
                assert case.check(sealed(those))[0] == WRONG, (number, place, at)


@pytest.mark.parametrize("seq", range(1, 7))
def test_a_record_that_is_taken_out_is_missed(case: Case, seq: int) -> None:
    good = whole(case)
    status, told = case.check(sealed([one for one in good if one[:2] != [RECORD, seq]]))
    assert status == WRONG, told


def test_a_record_that_is_taken_out_of_what_it_is_about_too_is_not_said_to_be_there(case: Case) -> None:
    """That is another bundle, about fewer records: it says which."""
    good = [one for one in whole(case) if one[:2] != [RECORD, 4]]
    good[0][4] = [[DEVICES[0], 1, 3], [DEVICES[0], 5, 6]]
    told = case.check(sealed(good))[1]
    assert "About its records 1 to 3, 5 to 6:" in told
    assert "Records 1 to 3" in told


@pytest.mark.parametrize("how", ["lost", "unreadable", "absent"])
def test_a_record_that_is_taken_out_is_missed_though_the_bundle_explains_why(case: Case, how: str) -> None:
    named = digest(case.tills[0].messages[3]) if how == "unreadable" else None
    good = [[GAP, 3, 3, how, named] if one[:2] == [RECORD, 3] else one for one in whole(case)]
    status, told = case.check(sealed(good))
    assert (status, "records 3 to 3 of d-window-01 are not here" in told) == (WRONG, True)


def test_records_in_another_order_are_found(case: Case) -> None:
    good = whole(case)
    one, two = (good.index(record) for record in records(good)[1:3])
    good[one], good[two] = good[two], good[one]
    assert case.check(sealed(good))[0] == WRONG


@pytest.mark.parametrize("place", range(6))
def test_a_record_that_was_signed_later_in_place_of_another_is_found(case: Case, place: int) -> None:
    """Even by the terminal's own key: heads and successors name the first."""
    good = whole(case)
    old = records(good)[place]
    till = Terminal(case.world, case.tills[0].peer, seq=old[1] - 1, last=cbor2.loads(cbor2.loads(old[2]).value[2])[3])
    forged = [RECORD, old[1], till.scan(CODES[9]), *old[3:]]
    status, told = case.check(sealed([forged if one is old else one for one in good]))
    assert status == WRONG, told


def test_a_record_of_another_terminal_is_found(case: Case) -> None:
    stranger = [RECORD, 7, case.tills[1].messages[1], False, None, None]
    good = whole(case)
    at = good.index(records(good)[-1]) + 1
    assert case.check(sealed([*good[:at], stranger, *good[at:]]))[0] == WRONG
    as_own = [[DEVICE, DEVICES[1], *one[2:]] if one[0] == DEVICE else one for one in good]
    assert case.check(sealed(as_own))[0] == WRONG


def test_a_forged_head_is_found(case: Case) -> None:
    good = whole(case)
    at = max(number for number, one in enumerate(good) if one[0] == HEAD)
    forger, own_key = case.tills[1], case.tills[0]
    by_another = Terminal(case.world, forger.peer, seq=6, last=own_key.last, uptime=10**6).head()
    assert case.check(sealed([*good[:at], [HEAD, by_another], *good[at + 1 :]]))[0] == WRONG
    as_record = [HEAD, own_key.messages[6]]
    assert case.check(sealed([*good[:at], as_record, *good[at + 1 :]]))[0] == WRONG
    twice = [*good[: at + 1], good[at], *good[at + 1 :]]
    assert case.check(sealed(twice))[0] == WRONG
