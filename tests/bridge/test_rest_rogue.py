"""The HTTP platform answering what it should not: unknown, never accepted, never an exception."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scanlatch_tools import site

from host_bridge.settlement import rest_lines
from host_bridge.settlement.port import Answer, Submission
from host_bridge.settlement.rest import RestPlatform

_INSTITUTION = "H00000000001"
_DRIP_S = 0.2


def _item(key: str) -> Submission:
    return Submission(key, "sale", "81234567890123456789", "clinic-7", "d-window-01", 17, 1_795_312_800_000, None)


class Rogue:
    """Answers every call with the bytes that `reply` makes of the request's lines; `drip` at a time, where given."""

    def __init__(self, reply: Callable[[list[str]], bytes], tls: ssl.SSLContext | None = None, drip: int = 0) -> None:
        self._drip = drip
        self._reply = reply
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            try:
                with self._tls.wrap_socket(connection, server_side=True) if self._tls else connection as wrapped:
                    wrapped.settimeout(5)
                    self._say(wrapped, self._reply(_request_lines(wrapped)))
            except OSError:
                continue

    def _say(self, connection: socket.socket, answer: bytes) -> None:
        while self._drip and answer:
            connection.sendall(answer[: self._drip])
            answer = answer[self._drip :]
            time.sleep(_DRIP_S)
        connection.sendall(answer)


def _request_lines(connection: socket.socket) -> list[str]:
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65536)
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    call = json.loads(body)["input"]
    data = call.get("selinfoDetail", call.get("data"))
    return data["fixmedins_bchno"] if isinstance(data, dict) else [line["fixmedins_bchno"] for line in data]


@contextmanager
def _rogue(reply: Callable[[list[str]], bytes], drip: int = 0) -> Iterator[RestPlatform]:
    server = Rogue(reply, drip=drip)
    platform = RestPlatform(f"http://127.0.0.1:{server.port}", _INSTITUTION, 1.0)
    yield platform
    platform.close()
    server.close()


def _http(body: Any, status: str = "200 OK", head: str = "") -> bytes:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n{head}\r\n".encode() + raw


def _answer(lines: Any, **more: Any) -> dict[str, Any]:
    output = {"result": {"retRslt": "1", "msgRslt": ""}, "selinfoDetail": lines, "data": lines}
    return {"infcode": 0, "err_msg": "", "output": output} | more


def _yes(key: str, **more: Any) -> dict[str, Any]:
    return {"fixmedins_bchno": key, "retRslt": "1", "rsltCode": "OK", "msgRslt": "", "stat": "1"} | more


_WRONG: dict[str, Callable[[list[str]], bytes]] = {
    "nothing": lambda _: b"",
    "no http": lambda _: b"hello\r\n\r\n",
    "empty": lambda _: _http(b""),
    "no json": lambda _: _http(b"{"),
    "deep json": lambda _: _http(b"[" * 100_000),
    "a list": lambda _: _http([]),
    "no output": lambda _: _http({"infcode": 0}),
    "no result": lambda _: _http({"infcode": 0, "output": {}}),
    "infcode 0 alone": lambda keys: _http({"infcode": 0, "output": {"selinfoDetail": [_yes(k) for k in keys]}}),
    "infcode as text": lambda keys: _http(_answer([_yes(k) for k in keys], infcode="0")),
    "infcode false": lambda keys: _http(_answer([_yes(k) for k in keys], infcode=False)),
    "infcode -1": lambda keys: _http(_answer([_yes(k) for k in keys], infcode=-1)),
    "business verdict 0": lambda keys: _http(
        _answer([]) | {"output": {"result": {"retRslt": "0"}, "selinfoDetail": [_yes(k) for k in keys]}}
    ),
    "line missing": lambda keys: _http(_answer([_yes(k) for k in keys[1:]])),
    "line too many": lambda keys: _http(_answer([_yes(k) for k in [*keys, "x"]])),
    "other order": lambda keys: _http(_answer([_yes(k) for k in keys[::-1]])),
    "other keys": lambda keys: _http(_answer([_yes(k + "x") for k in keys])),
    "lines are texts": lambda keys: _http(_answer(keys)),
    "number for text": lambda keys: _http(_answer([_yes(k, retRslt=1) for k in keys])),
    "yes and no": lambda keys: _http(_answer([_yes(k, rsltCode="SOLD_HERE") for k in keys])),
    "no and ok": lambda keys: _http(_answer([_yes(k, retRslt="0") for k in keys])),
    "no without a word": lambda keys: _http(_answer([_yes(k, retRslt="0", rsltCode="") for k in keys])),
    "third verdict": lambda keys: _http(_answer([_yes(k, retRslt="2") for k in keys])),
    "half a character, and a refusal": lambda keys: _http(
        _answer([_yes(k) for k in keys], infcode=-1, err_msg="\ud800")
    ),
    "half a character in a line": lambda keys: _http(
        _answer([_yes(k, retRslt="2", msgRslt="\ud800 no") for k in keys])
    ),
    "status 500": lambda keys: _http(_answer([_yes(k) for k in keys]), "500 Oh"),
    "status 202": lambda keys: _http(_answer([_yes(k) for k in keys]), "202 Later"),
    "redirect": lambda keys: _http(_answer([_yes(k) for k in keys]), "302 There", "Location: http://127.0.0.1:9/\r\n"),
    "cut short": lambda keys: _http(_answer([_yes(k) for k in keys]))[:-9],
    "endless": lambda keys: _http(_answer([_yes(k, msgRslt="x" * 300_000) for k in keys])),
    "compressed": lambda keys: _http(_answer([_yes(k) for k in keys]), head="Content-Encoding: gzip\r\n")[:-1] + b"!",
}


@pytest.mark.parametrize("reply", _WRONG.values(), ids=_WRONG.keys())
def test_answer_that_is_not_understood_is_unknown(reply: Callable[[list[str]], bytes]) -> None:
    with _rogue(reply) as platform:
        submitted = platform.submit([_item("a"), _item("b")])
        asked = platform.ask(["a", "b"])
    assert [answer.key for answer in submitted] == [answer.key for answer in asked] == ["a", "b"]
    assert {answer.outcome for answer in (*submitted, *asked)} == {"unknown"}
    assert {answer.reason for answer in (*submitted, *asked)} == {15}


def test_well_formed_answer_of_the_same_server_is_understood() -> None:
    with _rogue(lambda keys: _http(_answer([_yes(k) for k in keys]))) as platform:
        assert {answer.outcome for answer in platform.submit([_item("a")])} == {"accepted"}


def test_answer_that_drips_in_is_given_up_when_its_time_is_over() -> None:
    """No byte of it comes late, and its head alone would take eight times as long as a call may."""
    with _rogue(lambda keys: _http(_answer([_yes(k) for k in keys])), drip=1) as platform:
        began = time.monotonic()
        (answer,) = platform.submit([_item("d/1")])
    assert (answer.outcome, answer.reason) == ("unknown", 15)
    assert time.monotonic() - began < 3.0


def test_refusal_in_a_word_that_we_do_not_know_is_told_with_its_text() -> None:
    line = {"retRslt": "0", "rsltCode": "DRUG_SHORTAGE", "msgRslt": "药" * 30}
    with _rogue(lambda keys: _http(_answer([_yes(k, **line) for k in keys]))) as platform:
        assert platform.submit([_item("a")]) == [Answer("a", "refused", 13, "药" * 21)]


@pytest.mark.parametrize("stat", ["2", "", None])
def test_status_that_is_neither_seen_nor_unseen_is_unknown(stat: str | None) -> None:
    with _rogue(lambda keys: _http(_answer([{"fixmedins_bchno": k, "stat": stat} for k in keys]))) as platform:
        assert platform.ask(["a"])[0].outcome == "unknown"


def _outcomes(platform: RestPlatform) -> list[tuple[str, int]]:
    return [(answer.outcome, answer.reason) for answer in platform.submit([_item("a")])]


def test_platform_without_a_certificate_that_we_trust_is_not_spoken_to(tmp_path: Path) -> None:
    made = site.create(tmp_path / "site", ["clinic-7"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.folder / "broker" / "broker.pem", made.folder / "broker" / "broker.key")
    server = Rogue(lambda keys: _http(_answer([_yes(k) for k in keys])), context)
    url = f"https://127.0.0.1:{server.port}"
    strangers, trusting = (
        RestPlatform(url, _INSTITUTION),
        RestPlatform(url, _INSTITUTION, ca=made.folder / "ca" / "ca.pem"),
    )
    assert _outcomes(strangers) == [("unknown", 14)]
    assert _outcomes(trusting) == [("accepted", 0)]
    for platform in (strangers, trusting):
        platform.close()
    server.close()


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["0", "1", "OK", "a", "result", "output"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["infcode", "output", "result", "retRslt", "selinfoDetail", "a"]), inner)
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | _VALUES.map(lambda value: json.dumps(value).encode()))
def test_reading_an_answer_never_raises_and_never_invents_success(raw: bytes) -> None:
    found = rest_lines.read_answer(raw, "selinfoDetail", ["a"])
    if not isinstance(found, rest_lines.Trouble):
        assert [line["fixmedins_bchno"] for line in found] == ["a"]
