"""The platform over HTTP, as docs/platform.md describes it.

Only an answer that is understood to its last field is an answer; everything else is "unknown".
"""

import json
import random
import ssl
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import httpcore

from host_bridge.settlement import rest_lines as lines
from host_bridge.settlement.port import Answer, Submission
from host_bridge.settlement.rest_call import Caller

NOT_REACHABLE, NO_ANSWER, REFUSED = 14, 15, 13  # WIRE.md "Verdict", reasons
_PATH = "/api/call"
_BATCH_LIMIT = 50
# All that may end a call behind its connection.
_LOST = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError)


class RestPlatform:
    """A settlement platform behind HTTP. Safe to use from several threads.

    Args:
        url: base address; https is verified, against `ca` where given, else against the system's CAs.
        institution: this institution's number at the platform, 12 characters.
        timeout_s: the limit for a whole call, from its beginning to the last byte of its answer.
        batch_limit: most items one call carries.
        ca: PEM file.
        operator: who answers for the calls, as the platform shows it.
    """

    def __init__(
        self,
        url: str,
        institution: str,
        timeout_s: float = 5.0,
        *,
        batch_limit: int = _BATCH_LIMIT,
        ca: Path | None = None,
        operator: str = "scanlatch",
    ) -> None:
        self.batch_limit = batch_limit
        self.code_limit = lines.CODE_LIMIT
        self.silence_s = timeout_s
        self._institution = institution
        self._operator = operator
        verify = ssl.create_default_context(cafile=str(ca) if ca else None)
        self._caller = Caller(url.rstrip("/") + _PATH, timeout_s, verify)
        self._lock = threading.Lock()
        self._serial = random.randrange(10_000)  # noqa: S311 - only spreads the numbers of several bridges

    def submit(self, items: Sequence[Submission]) -> list[Answer]:
        """One answer an item, in the same order. See `host_bridge.settlement.port.Platform`."""
        answers: list[Answer] = []
        for call in self._calls(items):
            if answers and answers[-1].outcome == "unknown" and answers[-1].reason == NOT_REACHABLE:
                text = answers[-1].text  # not there a moment ago: what follows need not wait for it again
                answers += [Answer(item.key, "unknown", NOT_REACHABLE, text) for item in call]
                continue
            answers += self._submit(call)
        return answers

    def ask(self, keys: Sequence[str]) -> list[Answer]:
        """What became of these keys, in the same order. See `host_bridge.settlement.port.Platform`."""
        answers: list[Answer] = []
        for start in range(0, len(keys), self.batch_limit):
            part = keys[start : start + self.batch_limit]
            numbers = [lines.number(key) for key in part]
            found = self._call(lines.STATUS, {"data": {"fixmedins_bchno": numbers}}, "data", numbers)
            if isinstance(found, lines.Trouble):
                answers += [Answer(key, "unknown", found.reason, found.text) for key in part]
            else:
                answers += [lines.status(key, line) for key, line in zip(part, found, strict=True)]
        return answers

    def close(self) -> None:
        """Give back connections."""
        self._caller.close()

    def _calls(self, items: Sequence[Submission]) -> Iterator[list[Submission]]:
        """Cut into calls: one kind each, and never a later item before an earlier one."""
        for _, run in groupby(items, key=lambda item: item.kind):
            same = list(run)
            for start in range(0, len(same), self.batch_limit):
                yield same[start : start + self.batch_limit]

    def _submit(self, items: Sequence[Submission]) -> list[Answer]:
        unfit = {item.key: why for item in items if (why := lines.unfit(item))}
        sent = [item for item in items if item.key not in unfit]
        known = self._send(sent) if sent else {}
        return [
            Answer(item.key, "refused", REFUSED, lines.short(unfit[item.key])) if item.key in unfit else known[item.key]
            for item in items
        ]

    def _send(self, items: Sequence[Submission]) -> dict[str, Answer]:
        infno, node = lines.CALLS[items[0].kind]
        numbers = [lines.number(item.key) for item in items]
        found = self._call(infno, {node: [lines.line(item) for item in items]}, node, numbers)
        if isinstance(found, lines.Trouble):
            return {
                item.key: Answer(item.key, "refused", REFUSED, found.text)
                if found.culprit is not None and found.culprit == number
                else Answer(item.key, "unknown", found.reason, found.text)
                for item, number in zip(items, numbers, strict=True)
            }
        return {item.key: lines.result(item.key, line) for item, line in zip(items, found, strict=True)}

    def _call(
        self, infno: str, given: dict[str, Any], node: str, numbers: Sequence[str]
    ) -> list[dict[str, str]] | lines.Trouble:
        """Make one call; gives the answer's lines in the order of `numbers`, or why there are none."""
        body = json.dumps(self._envelope(infno, given), ensure_ascii=False, separators=(",", ":")).encode()
        try:
            status, raw = self._caller.post(body)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            return lines.Trouble(NOT_REACHABLE, lines.short(f"not reachable: {error}"))
        except (*_LOST, ssl.SSLError, OSError) as error:
            return lines.Trouble(NO_ANSWER, lines.short(f"no answer: {error or type(error).__name__}"))
        if status in (502, 503, 504):
            return lines.Trouble(NOT_REACHABLE, f"HTTP {status}")
        if status != 200:
            return lines.Trouble(NO_ANSWER, f"HTTP {status}")
        return lines.read_answer(raw, node, numbers)

    def _envelope(self, infno: str, given: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).astimezone(lines.BEIJING)
        with self._lock:
            self._serial = (self._serial + 1) % 10_000
            serial = self._serial
        return {
            "infno": infno,
            "msgid": f"{self._institution}{now:%Y%m%d%H%M%S}{serial:04}",
            "mdtrtarea_admvs": "000000",
            "recer_sys_code": "SCANLATCH",
            "infver": "V1.0",
            "opter_type": "2",  # a self-service terminal
            "opter": self._operator,
            "opter_name": self._operator,
            "inf_time": f"{now:%Y-%m-%d %H:%M:%S}",
            "fixmedins_code": self._institution,
            "fixmedins_name": self._institution,
            "input": given,
        }
