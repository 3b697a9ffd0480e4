"""Submissions to the platform's lines, and its lines to answers; pure functions, strict in both directions."""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

from host_bridge.settlement.port import Answer, Payer, Submission

BEIJING = timezone(timedelta(hours=8))  # the platform's time
STATUS = "3511A"
CALLS = {"sale": ("3505A", "selinfoDetail"), "reverse": ("3506A", "selinfoDetail"), "query": ("3513A", "data")}

_LATEST_MS = 253_370_764_800_000  # the year 9999: from then on its form of a time has no room
CODE_LIMIT = 100  # characters of a code, `drug_trac_codg`
_NUMBER = re.compile(r"[!-~]{1,30}")
_CODE = re.compile(rf"[ -~]{{1,{CODE_LIMIT}}}")
_TEXT_BYTES = 64  # a verdict's text, WIRE.md "Verdict"
_NO_ANSWER, _REFUSED = 15, 13

# The platform's words for a refusal -> reasons of WIRE.md "Verdict". A word that is not here is a refusal all the
# same: 13, and the text says why.
_REASONS = {
    "SOLD_HERE": 1,
    "SOLD_ELSEWHERE": 2,
    "UNKNOWN_CODE": 3,
    "RECALLED": 5,
    "EXPIRED": 6,
    "NOT_SALES_UNIT": 8,
    "PARTS_EXCEEDED": 19,
    "NOT_SOLD": 22,
    "SOLD_SEVERAL": 24,
}
_CONFLICT = "KEY_CONFLICT"
# `mdtrt_setl_type`: insured settlement and self-pay are the national interface's, 3 is ours (docs/platform.md).
_PAYERS: dict[Payer, str] = {"insured": "1", "self-pay": "2", "work-injury": "3"}
_WHOLE, _PART = "0", "1"  # `trdn_flag`


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a call has no answers. `culprit` is the number of the one item for which the whole was refused."""

    reason: int
    text: str
    culprit: str | None = None


def number(key: str) -> str:
    """A key as the platform's `fixmedins_bchno`: itself where it fits in 30 characters, else a digest of it."""
    if _NUMBER.fullmatch(key):
        return key
    return "h" + base64.b32encode(hashlib.sha256(key.encode()).digest())[:29].decode()


def unfit(item: Submission) -> str | None:
    """Why an item can never be told to the platform, or None."""
    if not _CODE.fullmatch(item.code):
        return "code can't be told to the platform"
    if item.kind == "reverse" and item.reverses is None:
        return "no sale named to take back"
    if item.kind == "sale" and item.payer not in _PAYERS:
        return "nobody known to the platform pays"
    if not 0 <= item.captured_at < _LATEST_MS:
        return "time can't be told to the platform"
    return None


def line(item: Submission) -> dict[str, Any]:
    """One item as the platform wants it."""
    told: dict[str, Any] = {
        "fixmedins_bchno": number(item.key),
        "site_no": item.site,
        "drugtracinfo": [{"drug_trac_codg": item.code}],
    }
    if item.kind == "query":
        return told
    at = datetime.fromtimestamp(item.captured_at / 1000, UTC).astimezone(BEIJING)
    told |= {
        "sel_retn_time": f"{at:%Y-%m-%d %H:%M:%S}",
        "sel_retn_cnt": "1",
        "trdn_flag": _PART if item.split else _WHOLE,
        "dev_no": item.device,
        "dev_seq": str(item.seq),
    }
    if item.kind == "sale":
        told["mdtrt_setl_type"] = _PAYERS[item.payer]
    if item.session is not None:
        told["rtal_docno"] = item.session
    if item.reverses is not None:
        told["orgl_bchno"] = number(item.reverses)
    return told


def read_answer(raw: bytes, node: str, numbers: Sequence[str]) -> list[dict[str, str]] | Trouble:
    """The lines of an answer in the order of `numbers`, each asked for once; or why there are none."""
    try:
        answer = _table(json.loads(raw))
    except (ValueError, RecursionError):
        return _not_understood("is not JSON")
    output = _table(answer.get("output"))
    result, code = _table(output.get("result")), answer.get("infcode")
    if type(code) is not int or not isinstance(result.get("retRslt"), str):
        return _not_understood("has no infcode or result")
    # infcode 0 alone is not success: the business verdict must say so too.
    if code != 0 or result["retRslt"] != "1":
        culprit = output.get("fixmedins_bchno")
        said = answer.get("err_msg") or result.get("msgRslt") or f"infcode {code}"
        return Trouble(_NO_ANSWER, short(str(said)), culprit if isinstance(culprit, str) else None)
    given = _tables(output.get(node))
    if [told.get("fixmedins_bchno") for told in given] != list(numbers):
        return _not_understood("has not one line an item")
    if not all(isinstance(value, str) for told in given for value in told.values()):
        return _not_understood("has a line that is not text")
    return given


def result(key: str, told: dict[str, str]) -> Answer:
    """One line of a sale, return or query as an answer."""
    verdict, word = told.get("retRslt"), told.get("rsltCode")
    text = short(told.get("msgRslt", "")) or None
    if verdict == "1" and word == "OK":
        return Answer(key, "accepted")
    if verdict == "0" and word and word not in ("OK", _CONFLICT):
        return Answer(key, "refused", _REASONS.get(word, _REFUSED), text)
    return Answer(key, "unknown", _NO_ANSWER, text or "answer not understood")


def status(key: str, told: dict[str, str]) -> Answer:
    """One line of a status query as an answer."""
    match told.get("stat"):
        case "1":
            return result(key, told)
        case "0":
            return Answer(key, "unseen")
        case _:
            return Answer(key, "unknown", _NO_ANSWER, "answer not understood")


def short(text: str) -> str:
    """At most 64 bytes of UTF-8, whole characters only; half a character of UTF-16, which JSON can say, is `?`."""
    return text.encode(errors="replace")[:_TEXT_BYTES].decode(errors="ignore")


def _not_understood(why: str) -> Trouble:
    return Trouble(_NO_ANSWER, short(f"answer {why}"))


def _table(value: object) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _tables(value: object) -> list[dict[str, Any]]:
    return [_table(line) for line in cast(list[object], value)] if isinstance(value, list) else []
