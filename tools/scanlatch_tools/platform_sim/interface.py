"""The platform's interface: which fields a call has, how long they may be, and how it is refused.

Envelope and field names follow what is public of the national platform; docs/platform.md says what is ours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, cast

SALE, RETURN, STATUS, CODE = "3505A", "3506A", "3511A", "3513A"
VERSION = "V1.0"
INPUT_LIMIT = 40_000  # characters
BATCH_LIMIT = 50
BODY_LIMIT = 4 * INPUT_LIMIT + 8_192  # bytes: four to a character at most, and the envelope
STALE_S = 600
BEIJING = timezone(timedelta(hours=8))

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_PLAIN = re.compile(r"[ -~]*")
_NAMES = ("fixmedins_name", "opter_name")  # of people and places: any script


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault
    """The call is refused whole; nothing of it was processed. `key` names the item that is at fault."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.key = key


class Field(NamedTuple):
    """One field: longest text, and whether it must be there."""

    longest: int
    required: bool = True


_ENVELOPE = {
    "infno": Field(5),
    "msgid": Field(30),
    "mdtrtarea_admvs": Field(6),
    "recer_sys_code": Field(10),
    "infver": Field(6),
    "opter_type": Field(3),
    "opter": Field(30),
    "opter_name": Field(50),
    "inf_time": Field(19),
    "fixmedins_code": Field(12),
    "fixmedins_name": Field(20),
    "sign_no": Field(30, required=False),
    "dev_no": Field(100, required=False),
}
_DETAIL = {
    "fixmedins_bchno": Field(30),
    "sel_retn_time": Field(19),
    "sel_retn_cnt": Field(17),
    "trdn_flag": Field(3),
    "rtal_docno": Field(40, required=False),
    "site_no": Field(32),
    "dev_no": Field(32),
    "dev_seq": Field(19),
}
_SALE = {**_DETAIL, "mdtrt_setl_type": Field(6)}
_BACK = {**_DETAIL, "orgl_bchno": Field(30)}
_ASK = {"fixmedins_bchno": Field(30), "site_no": Field(32)}
_NODE = {"drug_trac_codg": Field(100)}
PAYERS = {"1": "insured", "2": "self-pay", "3": "work-injury"}  # mdtrt_setl_type
_WHOLE, _PART = "0", "1"  # trdn_flag


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a sale, a return or a code query. `content` is what the key stands for."""

    key: str
    code: str
    site: str
    original: str | None
    content: str
    payer: str = ""  # of a sale
    split: bool = False  # one part of an opened box


@dataclass(frozen=True, slots=True)
class Call:
    """One call that keeps to the interface. `keys` is filled for a status query, `items` for the others."""

    infno: str
    msgid: str
    institution: str
    items: tuple[Item, ...]
    keys: tuple[str, ...]


def read_call(body: bytes, now: datetime) -> Call:
    """Read a request's body.

    Raises:
        Refusal: it does not keep to the interface.
    """
    try:
        envelope = _object(json.loads(body), "request")
    except (ValueError, RecursionError):
        raise Refusal("request is not JSON") from None
    given = _object(envelope.pop("input", None), "input")
    _fields(envelope, _ENVELOPE, "")
    if envelope["infver"] != VERSION:
        raise Refusal(f"infver: {VERSION} is spoken here")
    _fresh(envelope["inf_time"], now)
    if not envelope["msgid"].startswith(envelope["fixmedins_code"]):
        raise Refusal("msgid must begin with fixmedins_code")
    if len(json.dumps(given, ensure_ascii=False, separators=(",", ":"))) > INPUT_LIMIT:
        raise Refusal(f"input is longer than {INPUT_LIMIT} characters")
    infno = envelope["infno"]
    items = () if infno == STATUS else _items(infno, given)
    keys = _keys(given) if infno == STATUS else ()
    return Call(infno, envelope["msgid"], envelope["fixmedins_code"], items, keys)


def _keys(given: dict[str, Any]) -> tuple[str, ...]:
    keys = _list(_only(_object(_only(given, "data"), "data"), "fixmedins_bchno"))
    for key in keys:
        _text(key, "fixmedins_bchno", 30)
    return tuple(keys)


def _items(infno: str, given: dict[str, Any]) -> tuple[Item, ...]:
    known = {SALE: _SALE, RETURN: _BACK, CODE: _ASK}.get(infno)
    if known is None:
        raise Refusal(f"infno {infno} is not known")
    lines = _list(_only(given, "data" if infno == CODE else "selinfoDetail"))
    return tuple(_item(infno, _object(line, "an item"), known) for line in lines)


def _item(infno: str, line: dict[str, Any], known: Mapping[str, Field]) -> Item:
    key = line.get("fixmedins_bchno")
    nodes = line.pop("drugtracinfo", None)
    try:
        _fields(line, known, "")
        code = _code(nodes)
        if infno != CODE:
            _one_box_or_part(line)
        if infno == SALE:
            _paid(line)
    except Refusal as refusal:
        raise Refusal(refusal.message, key if isinstance(key, str) else None) from None
    content = json.dumps([infno, sorted(line.items()), code], ensure_ascii=False)
    return Item(
        line["fixmedins_bchno"],
        code,
        line["site_no"],
        line.get("orgl_bchno"),
        content,
        PAYERS.get(line.get("mdtrt_setl_type", ""), ""),
        line.get("trdn_flag") == _PART,
    )


def _code(nodes: Any) -> str:
    found = _list(nodes)
    if len(found) != 1:
        raise Refusal("drugtracinfo must hold one node")
    node = _object(found[0], "drugtracinfo[0]")
    _fields(node, _NODE, "drugtracinfo.")
    return node["drug_trac_codg"]


def _one_box_or_part(line: dict[str, Any]) -> None:
    _time(line["sel_retn_time"], "sel_retn_time")
    if line["sel_retn_cnt"] != "1" or line["trdn_flag"] not in (_WHOLE, _PART):
        raise Refusal("one box or one part an item: sel_retn_cnt 1, trdn_flag 0 or 1")


def _paid(line: dict[str, Any]) -> None:
    if line["mdtrt_setl_type"] not in PAYERS:
        raise Refusal(f"mdtrt_setl_type must be one of {', '.join(PAYERS)}")


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(f"{name} must be an object")
    return cast(dict[str, Any], value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not 0 < len(cast(list[Any], value)) <= BATCH_LIMIT:
        raise Refusal(f"a list of 1 to {BATCH_LIMIT} was expected")
    return cast(list[Any], value)


def _fields(given: Mapping[str, Any], known: Mapping[str, Field], where: str) -> None:
    for name, value in given.items():
        if name not in known:
            raise Refusal(f"{where}{name} is not a field of this interface"[:200])
        _text(value, where + name, known[name].longest)
    for name, field in known.items():
        if field.required and name not in given:
            raise Refusal(f"{where}{name} is missing")


def _text(value: Any, name: str, longest: int) -> None:
    if not isinstance(value, str):
        raise Refusal(f"{name} must be text")
    if len(value) > longest:
        raise Refusal(f"{name} is longer than {longest}")
    if not value or not (value.isprintable() if name in _NAMES else _PLAIN.fullmatch(value)):
        raise Refusal(f"{name} is empty or has characters that don't belong there")


def _only(given: dict[str, Any], name: str) -> Any:
    if set(given) != {name}:
        raise Refusal(f"{name} and nothing else was expected")
    return given[name]


def _time(text: str, name: str) -> datetime:
    try:
        if _TIME.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    except ValueError:
        pass
    raise Refusal(f"{name} must be yyyy-MM-dd HH:mm:ss")


def _fresh(text: str, now: datetime) -> None:
    if abs((_time(text, "inf_time") - now).total_seconds()) > STALE_S:
        raise Refusal(f"inf_time is more than {STALE_S} s away from the platform's clock")
