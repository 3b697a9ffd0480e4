"""The platform's stand-in at its port: strict about its interface, faithful to its keys, and out of order on demand."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from scanlatch_tools.platform_sim import PlatformSim

_CODE = "81234567890123456789"
_BEIJING = timezone(timedelta(hours=8))
_INSTITUTION = "H00000000001"
_HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))


@pytest.fixture
def platform() -> Iterator[PlatformSim]:
    with PlatformSim() as started:
        started.book.load([_CODE])
        yield started


def _item(key: str, code: str = _CODE, site: str = "clinic-7", **more: Any) -> dict[str, Any]:
    return {
        "fixmedins_bchno": key,
        "sel_retn_time": "2026-11-22 09:30:00",
        "sel_retn_cnt": "1",
        "trdn_flag": "0",
        "mdtrt_setl_type": "1",
        "site_no": site,
        "dev_no": "d-window-01",
        "dev_seq": "17",
        "drugtracinfo": [{"drug_trac_codg": code}],
    } | more


def _back(key: str, original: str, **more: Any) -> dict[str, Any]:
    item = _item(key, orgl_bchno=original, **more)
    del item["mdtrt_setl_type"]
    return item


def _envelope(infno: str, given: Any, **more: Any) -> dict[str, Any]:
    now = datetime.now(_BEIJING)
    return {
        "infno": infno,
        "msgid": f"{_INSTITUTION}{now:%Y%m%d%H%M%S}0001",
        "mdtrtarea_admvs": "000000",
        "recer_sys_code": "SCANLATCH",
        "infver": "V1.0",
        "opter_type": "2",
        "opter": "window",
        "opter_name": "窗口",
        "inf_time": f"{now:%Y-%m-%d %H:%M:%S}",
        "fixmedins_code": _INSTITUTION,
        "fixmedins_name": "第七门诊部",
        "input": given,
    } | more


def _post(platform: PlatformSim, body: Any) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = _HTTP.post(platform.url + "/api/call", content=content)
    assert answer.status_code == 200
    return answer.json()


def _sell(platform: PlatformSim, *items: dict[str, Any], infno: str = "3505A") -> list[tuple[str, str]]:
    answer = _post(platform, _envelope(infno, {"selinfoDetail": list(items)}))
    assert (answer["infcode"], answer["output"]["result"]["retRslt"]) == (0, "1"), answer
    return [(line["retRslt"], line["rsltCode"]) for line in answer["output"]["selinfoDetail"]]


def _ask_code(platform: PlatformSim, key: str, code: str, site: str) -> str:
    line = {"fixmedins_bchno": key, "site_no": site, "drugtracinfo": [{"drug_trac_codg": code}]}
    return _post(platform, _envelope("3513A", {"data": [line]}))["output"]["data"][0]["rsltCode"]


def test_code_is_sold_once_and_no_more(platform: PlatformSim) -> None:
    told = _sell(platform, _item("a"), _item("b"), _item("c", site="pharmacy-3"), _item("d", code="9"))
    assert told == [("1", "OK"), ("0", "SOLD_HERE"), ("0", "SOLD_ELSEWHERE"), ("0", "UNKNOWN_CODE")]
    assert [(sale["key"], sale["code"]) for sale in platform.book.sales()] == [("a", _CODE)]


def test_same_key_again_gets_the_first_answer(platform: PlatformSim) -> None:
    first = _sell(platform, _item("a"), _item("b"))
    assert _sell(platform, _item("b"), _item("a")) == first[::-1]
    assert platform.book.stats()["sales"] == 1
    platform.book.load(["80000000000000000002"])


def test_same_key_with_other_content_is_an_error_and_changes_nothing(platform: PlatformSim) -> None:
    _sell(platform, _item("a"))
    assert _sell(platform, _item("a", dev_seq="18")) == [("0", "KEY_CONFLICT")]
    assert _sell(platform, _back("a", "a"), infno="3506A") == [("0", "KEY_CONFLICT")]
    assert _sell(platform, _item("a")) == [("1", "OK")]


def test_returned_code_may_be_sold_again(platform: PlatformSim) -> None:
    _sell(platform, _item("a"))
    backs = [_back("r1", "b"), _back("r2", "a", code="9"), _back("r3", "a"), _back("r4", "a")]
    told = _sell(platform, *backs, infno="3506A")
    assert told == [("0", "NOT_SOLD"), ("0", "NOT_SOLD"), ("1", "OK"), ("0", "NOT_SOLD")]
    assert _sell(platform, _item("e", site="pharmacy-3")) == [("1", "OK")]


def test_query_tells_a_sale_here_from_one_elsewhere_and_from_several(platform: PlatformSim) -> None:
    elsewhere = {"institution": "P00000000009", "site": "x"}
    platform.book.load([{"code": "twice", "sold": [elsewhere, elsewhere]}, {"code": "once", "sold": [elsewhere]}])
    asked = [("q1", _CODE), ("q2", "once"), ("q3", "twice"), ("q4", "nowhere")]
    assert [_ask_code(platform, key, code, "clinic-7") for key, code in asked] == [
        "OK",
        "SOLD_ELSEWHERE",
        "SOLD_SEVERAL",
        "UNKNOWN_CODE",
    ]
    _sell(platform, _item("a"))
    assert _ask_code(platform, "q5", _CODE, "clinic-7") == "SOLD_HERE"
    assert platform.book.stats()["sales"] == 4


def _part(key: str, **more: Any) -> dict[str, Any]:
    return _item(key, trdn_flag="1", **more)


def test_opened_box_is_sold_in_as_many_parts_as_it_holds_by_one_site(platform: PlatformSim) -> None:
    platform.book.load([{"code": _CODE, "parts": 3}])
    told = _sell(platform, _part("a"), _part("b"), _item("c"), _part("d", site="pharmacy-3"), _part("e"), _part("f"))
    assert [word for _, word in told] == ["OK", "OK", "SOLD_HERE", "SOLD_ELSEWHERE", "OK", "PARTS_EXCEEDED"]
    assert _ask_code(platform, "q1", _CODE, "clinic-7") == "SOLD_HERE"
    assert _ask_code(platform, "q2", _CODE, "pharmacy-3") == "SOLD_ELSEWHERE"


def test_part_that_was_returned_may_be_sold_again_and_the_last_frees_the_box(platform: PlatformSim) -> None:
    platform.book.load([{"code": _CODE, "parts": 2}])
    _sell(platform, _part("a"), _part("b"))
    assert _sell(platform, _back("r1", "a", trdn_flag="1"), infno="3506A") == [("1", "OK")]
    assert _sell(platform, _part("c"), _part("d")) == [("1", "OK"), ("0", "PARTS_EXCEEDED")]
    backs = [_back("r2", "b", trdn_flag="1"), _back("r3", "c", trdn_flag="1")]
    assert _sell(platform, *backs, infno="3506A") == [("1", "OK")] * 2
    assert _sell(platform, _item("e", site="pharmacy-3")) == [("1", "OK")]


def test_box_that_was_sold_whole_has_no_parts_left(platform: PlatformSim) -> None:
    assert _sell(platform, _item("a"), _part("b")) == [("1", "OK"), ("0", "SOLD_HERE")]


def test_book_tells_who_paid_and_what_was_a_part(platform: PlatformSim) -> None:
    codes = ["80000000000000000011", "80000000000000000012", "80000000000000000013"]
    platform.book.load(codes)
    items = [_item(f"k{payer}", code, mdtrt_setl_type=payer) for payer, code in zip("123", codes, strict=True)]
    _sell(platform, *items, _part("p"))
    told = [(sale["key"], sale["payer"], sale["split"]) for sale in platform.book.sales()]
    assert told == [
        ("k1", "insured", False),
        ("k2", "self-pay", False),
        ("k3", "work-injury", False),
        ("p", "insured", True),
    ]


def test_book_of_an_earlier_version_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "platform.sqlite"
    old = sqlite3.connect(path)
    old.executescript(
        "CREATE TABLE codes (code TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE sales (id INTEGER PRIMARY KEY, code TEXT NOT NULL, institution TEXT NOT NULL,"
        " site TEXT NOT NULL, key TEXT, at INTEGER NOT NULL, returned_by TEXT);"
        f"INSERT INTO sales (code, institution, site, key, at) VALUES ('{_CODE}', 'H', 's', 'a', 1);"
    )
    old.close()
    with PlatformSim(path) as platform:
        assert [(sale["key"], sale["payer"], sale["split"]) for sale in platform.book.sales()] == [
            ("a", "insured", False)
        ]


@pytest.mark.parametrize(
    ("state", "word"), [("recalled", "RECALLED"), ("expired", "EXPIRED"), ("case", "NOT_SALES_UNIT")]
)
def test_code_that_must_not_be_sold_is_not(platform: PlatformSim, state: str, word: str) -> None:
    platform.book.load([{"code": "barred", "state": state}])
    assert _sell(platform, _item("a", code="barred")) == [("0", word)]


def test_status_tells_what_became_of_each_key_and_what_was_never_seen(platform: PlatformSim) -> None:
    _sell(platform, _item("a"), _item("b"))
    answer = _post(platform, _envelope("3511A", {"data": {"fixmedins_bchno": ["b", "zz", "a"]}}))
    told = [(line["stat"], line.get("retRslt"), line.get("rsltCode")) for line in answer["output"]["data"]]
    assert told == [("1", "0", "SOLD_HERE"), ("0", None, None), ("1", "1", "OK")]


def test_keys_of_two_institutions_have_nothing_to_do_with_each_other(platform: PlatformSim) -> None:
    _sell(platform, _item("a"))
    other = _envelope("3505A", {"selinfoDetail": [_item("a", code="9")]}, fixmedins_code="P00000000009")
    other["msgid"] = "P00000000009" + other["msgid"][12:]
    assert _post(platform, other)["output"]["selinfoDetail"][0]["rsltCode"] == "UNKNOWN_CODE"


_WRONG: list[tuple[str, Callable[[dict[str, Any]], Any], str]] = [
    ("missing field", lambda e: e.pop("opter"), "opter is missing"),
    ("unknown field", lambda e: e.update(shoe="1"), "shoe is not a field"),
    ("too long", lambda e: e.update(opter="x" * 31), "opter is longer than 30"),
    ("not text", lambda e: e.update(opter=7), "opter must be text"),
    ("empty", lambda e: e.update(opter=""), "opter is empty"),
    ("line feed", lambda e: e.update(opter="a\nb"), "don't belong"),
    ("other version", lambda e: e.update(infver="V2.0"), "V1.0 is spoken here"),
    ("unknown transaction", lambda e: e.update(infno="9999"), "infno 9999 is not known"),
    ("foreign message id", lambda e: e.update(msgid="x"), "msgid must begin"),
    ("no input", lambda e: e.pop("input"), "input must be an object"),
    ("stale", lambda e: e.update(inf_time="2026-01-01 00:00:00"), "away from the platform's clock"),
    ("no time", lambda e: e.update(inf_time="now"), "yyyy-MM-dd"),
    ("no items", lambda e: e.update(input={"selinfoDetail": []}), "1 to 50"),
    ("51 items", lambda e: e.update(input={"selinfoDetail": [_item(f"k{i}") for i in range(51)]}), "1 to 50"),
    ("more in input", lambda e: e["input"].update(data=1), "nothing else was expected"),
    ("item is text", lambda e: e["input"].update(selinfoDetail=["a"]), "an item must be an object"),
    ("long input", lambda e: e["input"]["selinfoDetail"][0].update(memo="x" * 40_000), "longer than 40000"),
    ("item without key", lambda e: e["input"]["selinfoDetail"][0].pop("fixmedins_bchno"), "bchno is missing"),
    ("key too long", lambda e: e["input"]["selinfoDetail"][0].update(fixmedins_bchno="k" * 31), "longer than 30"),
    ("two boxes", lambda e: e["input"]["selinfoDetail"][0].update(sel_retn_cnt="2"), "one box or one part"),
    ("third of a box", lambda e: e["input"]["selinfoDetail"][0].update(trdn_flag="2"), "one box or one part"),
    ("nobody pays", lambda e: e["input"]["selinfoDetail"][0].pop("mdtrt_setl_type"), "setl_type is missing"),
    ("stranger pays", lambda e: e["input"]["selinfoDetail"][0].update(mdtrt_setl_type="9"), "must be one of 1, 2, 3"),
    ("no such day", lambda e: e["input"]["selinfoDetail"][0].update(sel_retn_time="2026-02-30 00:00:00"), "yyyy"),
    ("two codes", lambda e: e["input"]["selinfoDetail"][0]["drugtracinfo"].append({}), "one node"),
    ("code too long", lambda e: e["input"]["selinfoDetail"][0].update(_item("a", code="8" * 101)), "than 100"),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in _WRONG], ids=[case[0] for case in _WRONG])
def test_call_against_the_interface_is_refused_whole(
    platform: PlatformSim, change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    body = _envelope("3505A", {"selinfoDetail": [_item("a"), _item("b", code="9")]})
    change(body)
    answer = _post(platform, body)
    assert answer["infcode"] == -1
    assert said in answer["err_msg"]
    assert answer["output"]["result"]["retRslt"] == "0"
    assert platform.book.stats()["keys"] == 0


def test_refusal_names_the_item_that_is_at_fault(platform: PlatformSim) -> None:
    body = _envelope("3505A", {"selinfoDetail": [_item("a"), _item("b", trdn_flag="2")]})
    assert _post(platform, body)["output"]["fixmedins_bchno"] == "b"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"\xff\xfe", b"[" * 20_000])
def test_body_that_is_no_call_is_refused(platform: PlatformSim, body: bytes) -> None:
    assert _post(platform, body)["infcode"] == -1


def test_body_without_a_length_or_beyond_the_limit_is_not_read(platform: PlatformSim) -> None:
    assert _HTTP.post(platform.url + "/api/call", content=iter([b"{}"])).status_code == 411
    assert _HTTP.post(platform.url + "/api/call", content=b" " * 200_000).status_code == 413
    assert _HTTP.get(platform.url + "/api/call").status_code == 404


def test_many_calls_at_once_sell_a_code_once(platform: PlatformSim) -> None:
    told: list[tuple[str, str]] = []

    def sell(number: int) -> None:
        told.extend(_sell(platform, _item(f"k{number}", site=f"s{number}")))

    threads = [threading.Thread(target=sell, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == [("0", "SOLD_ELSEWHERE")] * 11 + [("1", "OK")]
