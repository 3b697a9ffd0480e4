"""The catalogue: what may be entered, what it then says of a code, and that sales heed it at once."""

from dataclasses import replace

import pytest

from host_bridge import catalogue
from host_bridge.catalogue import Batch, Product, Unit
from host_bridge.errors import BadInput, NotFound, PackageTooBig
from host_bridge.gtin import check_digit
from host_bridge.ledger.catalogue import TREE, Claim, Facts, facts, relatives
from tests.bridge.world import CODES, World

PREFIX = CODES[0][:7]
BARCODE = "6901234567892"
DRUG = Product(
    "AMX-250", "Amoxicillin 250 mg x 24", (PREFIX, "8338653"), barcode=BARCODE, catalogue_code="XJ01CAA040", content=24
)


def _facts(world: World, code: str, **said: object) -> Facts:
    with world.ledger.read() as connection:
        return facts(connection, {code: Claim(**said)}, world.clock.now())[code]  # type: ignore[arg-type]


def test_a_product_is_found_by_each_of_its_codes(world: World) -> None:
    catalogue.import_products(world.ledger, [DRUG, Product("OTHER", "Other")])
    found = [replace(DRUG, gtin="0" + BARCODE, barcode="0" + BARCODE)]
    assert catalogue.lookup(world.ledger, prefix="8338653") == found
    assert catalogue.lookup(world.ledger, prefix=CODES[0]) == found
    assert catalogue.lookup(world.ledger, gtin="0" + BARCODE) == found
    assert catalogue.lookup(world.ledger, barcode=BARCODE) == found
    assert catalogue.lookup(world.ledger, catalogue_code="XJ01CAA040") == found
    assert catalogue.lookup(world.ledger, product="AMX-250") == found
    assert catalogue.lookup(world.ledger, prefix="0000000") == []


def test_an_insurance_code_may_name_several_products(world: World) -> None:
    twin = Product("AMX-250B", "Amoxicillin, another pack", catalogue_code=DRUG.catalogue_code)
    catalogue.import_products(world.ledger, [DRUG, twin])
    assert [one.id for one in catalogue.lookup(world.ledger, catalogue_code="XJ01CAA040")] == ["AMX-250", "AMX-250B"]


def test_import_again_replaces_a_product_and_its_prefixes(world: World) -> None:
    catalogue.import_products(world.ledger, [DRUG])
    catalogue.import_products(world.ledger, [replace(DRUG, name="Amoxicillin", prefixes=("8338654",))])
    assert catalogue.lookup(world.ledger, prefix=PREFIX) == []
    assert [one.name for one in catalogue.lookup(world.ledger, prefix="8338654")] == ["Amoxicillin"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"id": "a b"}, "product"),
        ({"name": " "}, "name"),
        ({"name": "half a character \ud800"}, "name"),
        ({"prefixes": ("833865",)}, "prefixes"),
        ({"barcode": "6901234567890"}, "barcode"),
        ({"gtin": "123"}, "gtin"),
        ({"content": 0}, "content"),
        ({"catalogue_code": "X" * 51}, "catalogue_code"),
        ({"exempt": ""}, "exempt"),
    ],
)
def test_a_product_that_cannot_be_right_is_refused_by_name(
    sqlite_world: World, changed: dict[str, object], field: str
) -> None:
    with pytest.raises(BadInput, match=field):
        catalogue.import_products(sqlite_world.ledger, [Product("FIRST", "First"), replace(DRUG, **changed)])  # type: ignore[arg-type]
    assert catalogue.lookup(sqlite_world.ledger, product="FIRST") == []


@pytest.mark.parametrize("shared", ["prefixes", "barcode"])
def test_one_code_names_one_product(sqlite_world: World, shared: str) -> None:
    catalogue.import_products(sqlite_world.ledger, [DRUG])
    thief = Product("THIEF", "Thief", **{shared: getattr(DRUG, shared)})
    with pytest.raises(BadInput, match="that of product 'AMX-250'"):
        catalogue.import_products(sqlite_world.ledger, [thief])
    with pytest.raises(BadInput, match="that of product"):
        catalogue.import_products(sqlite_world.ledger, [replace(thief, id="T-2"), thief, replace(DRUG, prefixes=())])


def test_a_code_says_its_product_batch_and_day_from_the_best_source(world: World) -> None:
    catalogue.import_products(world.ledger, [DRUG])
    catalogue.import_batches(world.ledger, [Batch("AMX-250", "L1", 20270131), Batch("AMX-250", "L2", 20280131)])
    catalogue.add_units(world.ledger, [Unit("BOX", product="AMX-250", batch="L1")])
    assert _facts(world, "BOX").expires_on == 20270131
    assert _facts(world, "BOX", batch="L2").expires_on == 20280131
    assert _facts(world, "BOX", expires_on=20260930).expires_on == 20260930
    assert _facts(world, CODES[0], prefix=PREFIX).content == 24
    assert _facts(world, "NOBODY'S") == Facts("NOBODY'S")


def test_gtin_of_a_package_leads_to_the_product_in_it(world: World) -> None:
    catalogue.import_products(world.ledger, [DRUG])
    inner = "1" + BARCODE[:-1]
    case = _facts(world, "case", gtin=inner + check_digit(inner))
    assert (case.product, case.level) == ("AMX-250", 2)
    assert _facts(world, "box", gtin="0" + BARCODE).level == 1


def test_recall_holds_until_it_is_lifted(world: World) -> None:
    catalogue.import_products(world.ledger, [DRUG])
    till = world.terminal()
    number = catalogue.recall(world.ledger, "AMX-250", "particles in it", world.clock.now())
    world.sell(till, CODES[0])
    catalogue.lift_recall(world.ledger, number, world.clock.now())
    world.sell(till, CODES[0])
    assert till.outcomes() == [(1, 1, 5), (2, 0, 0)]
    assert [one.why for one in catalogue.recalls(world.ledger, only_open=False)] == ["particles in it"]
    assert catalogue.recalls(world.ledger) == []
    with pytest.raises(NotFound):
        catalogue.lift_recall(world.ledger, number, world.clock.now())


def test_recall_of_one_batch_leaves_the_others(world: World) -> None:
    catalogue.import_products(world.ledger, [DRUG])
    catalogue.recall(world.ledger, "AMX-250", "particles", world.clock.now(), batch="L1")
    assert _facts(world, "A", prefix=PREFIX, batch="L1").recalled == "particles"
    assert _facts(world, "B", prefix=PREFIX, batch="L2").recalled is None


def test_exempt_products_are_so_until_they_carry_codes(world: World) -> None:
    catalogue.import_products(world.ledger, [DRUG])
    till = world.terminal()
    catalogue.exempt(world.ledger, "AMX-250", "dispensed split in hospital")
    world.sell(till, CODES[0])
    catalogue.exempt(world.ledger, "AMX-250", None)
    world.sell(till, CODES[0])
    assert till.outcomes() == [(1, 4, 0), (2, 0, 0)]
    with pytest.raises(NotFound):
        catalogue.exempt(world.ledger, "NOBODY'S", None)


def test_first_entry_of_an_empty_catalogue_counts_at_once(world: World) -> None:
    till = world.terminal()
    world.sell(till, CODES[1])
    catalogue.import_products(world.ledger, [replace(DRUG, exempt="loose ampoules")])
    world.sell(till, CODES[0])
    assert till.outcomes() == [(1, 0, 0), (2, 4, 0)]


def test_packages_know_what_lies_in_them_and_around_them(world: World) -> None:
    units = [Unit("CASE", 3), Unit("INNER", 2, "CASE"), Unit("A", 1, "INNER"), Unit("B", 1, "INNER"), Unit("C")]
    catalogue.add_units(world.ledger, units)
    with world.ledger.read() as connection:
        assert relatives(connection, ["A", "INNER", "CASE", "C"]) == {
            "A": {"INNER", "CASE"},
            "INNER": {"A", "B", "CASE"},
            "CASE": {"INNER", "A", "B"},
            "C": set(),
        }


@pytest.mark.parametrize(
    ("units", "why"),
    [
        ([Unit("A", 1, "NOWHERE")], "not known"),
        ([Unit("A", 2), Unit("B", 2, "A")], "cannot lie in"),
        ([Unit("A", 6)], "level"),
        ([Unit("CASE", 1)], "cannot lie in"),
        ([Unit("A", expires_on=20261301)], "no day"),
        ([Unit("A"), Unit("A")], "twice"),
        ([Unit("\x1d")], "control"),
    ],
)
def test_packaging_relations_that_cannot_be_are_refused(sqlite_world: World, units: list[Unit], why: str) -> None:
    catalogue.add_units(sqlite_world.ledger, [Unit("CASE", 2), Unit("INSIDE", 1, "CASE")])
    with pytest.raises(BadInput, match=why):
        catalogue.add_units(sqlite_world.ledger, units)


def test_package_of_more_than_a_decision_can_look_at_is_refused(world: World) -> None:
    half = TREE // 2
    catalogue.add_units(world.ledger, [Unit("CASE", 2), *(Unit(f"A{one}", 1, "CASE") for one in range(half))])
    with pytest.raises(PackageTooBig) as refused:
        catalogue.add_units(world.ledger, [Unit(f"B{one}", 1, "CASE") for one in range(half + 1)])
    assert (refused.value.code, refused.value.count) == ("CASE", TREE + 1)


def test_levels_counted_from_the_largest_are_turned() -> None:
    assert [catalogue.from_largest(number, 3) for number in (1, 2, 3)] == [3, 2, 1]
    with pytest.raises(BadInput):
        catalogue.from_largest(4, 3)


def test_batch_of_an_unknown_product_is_refused(sqlite_world: World) -> None:
    with pytest.raises(NotFound, match="there is no product"):
        catalogue.import_batches(sqlite_world.ledger, [Batch("NOBODY'S", "L1", 20270101)])
