"""The platform's stand-in out of order: busy, slow, away, or silent after it took the sale; and its command."""

import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from scanlatch_tools.platform_sim import PlatformSim
from scanlatch_tools.platform_sim.book import CodeError
from scanlatch_tools.platform_sim.knobs import KnobError

_CODE = "81234567890123456789"
_BEIJING = timezone(timedelta(hours=8))
_INSTITUTION = "H00000000001"
_HTTP = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))


@pytest.fixture
def platform() -> Iterator[PlatformSim]:
    with PlatformSim() as started:
        started.book.load([_CODE])
        yield started


def _call(platform_url: str, key: str, code: str = _CODE) -> httpx.Response:
    now = datetime.now(_BEIJING)
    item = {
        "fixmedins_bchno": key,
        "sel_retn_time": "2026-11-22 09:30:00",
        "sel_retn_cnt": "1",
        "trdn_flag": "0",
        "mdtrt_setl_type": "1",
        "site_no": "clinic-7",
        "dev_no": "d-window-01",
        "dev_seq": "17",
        "drugtracinfo": [{"drug_trac_codg": code}],
    }
    body = {
        "infno": "3505A",
        "msgid": f"{_INSTITUTION}{now:%Y%m%d%H%M%S}0001",
        "mdtrtarea_admvs": "000000",
        "recer_sys_code": "SCANLATCH",
        "infver": "V1.0",
        "opter_type": "2",
        "opter": "window",
        "opter_name": "window",
        "inf_time": f"{now:%Y-%m-%d %H:%M:%S}",
        "fixmedins_code": _INSTITUTION,
        "fixmedins_name": "clinic",
        "input": {"selinfoDetail": [item]},
    }
    return _HTTP.post(platform_url + "/api/call", json=body)


def _sell(platform: PlatformSim, key: str, code: str = _CODE) -> str:
    return _call(platform.url, key, code).json()["output"]["selinfoDetail"][0]["rsltCode"]


def test_busy_platform_processes_nothing(platform: PlatformSim) -> None:
    platform.turn(error_rate=1)
    answer = _call(platform.url, "a").json()
    assert (answer["infcode"], answer["err_msg"]) == (-1, "system busy, try again")
    assert platform.book.stats()["keys"] == 0


def test_answer_is_lost_and_the_sale_is_taken(platform: PlatformSim) -> None:
    platform.turn(lose_next=1)
    with pytest.raises(httpx.RemoteProtocolError):
        _call(platform.url, "a")
    assert platform.book.stats()["sales"] == 1
    assert _sell(platform, "a") == "OK"


def test_half_of_the_answers_are_lost_by_a_seeded_chance() -> None:
    def lost(seed: int) -> list[bool]:
        with PlatformSim(seed=seed) as platform:
            platform.turn(lose_rate=0.5, open=True)
            outcome: list[bool] = []
            for i in range(20):
                try:
                    _sell(platform, f"k{i}", str(i))
                    outcome.append(False)
                except httpx.RemoteProtocolError:
                    outcome.append(True)
            return outcome

    assert lost(1) == lost(1) != lost(2)
    assert 4 <= sum(lost(1)) <= 16


def test_refused_connection_ends_with_the_outage(platform: PlatformSim) -> None:
    with httpx.Client() as client:
        client.post(platform.url + "/api/call", content=b"{}")
        platform.turn(outage="refuse")
        with pytest.raises((httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError)):
            client.post(platform.url + "/api/call", content=b"{}")
        with pytest.raises(httpx.ConnectError):
            client.post(platform.url + "/api/call", content=b"{}")
        url = platform.url
        platform.turn(outage="none")
        assert platform.url == url
        assert client.post(platform.url + "/api/call", content=b"{}").status_code == 200


def test_outage_503_processes_nothing(platform: PlatformSim) -> None:
    platform.turn(outage="503")
    assert _call(platform.url, "a").status_code == 503
    assert platform.book.stats()["keys"] == 0


def test_latency_delays_the_answer(platform: PlatformSim) -> None:
    platform.turn(latency_ms=80)
    started = time.perf_counter()
    _sell(platform, "a")
    assert time.perf_counter() - started >= 0.08


def test_knobs_codes_and_sales_over_http(platform: PlatformSim) -> None:
    admin = platform.admin_url
    assert _HTTP.post(admin + "/knobs", json={"latency_ms": 1, "open": True}).json()["latency_ms"] == 1
    assert _HTTP.get(admin + "/knobs").json()["open"] is True
    assert _HTTP.post(admin + "/codes", json=["1", {"code": "2", "state": "recalled"}]).json() == {"loaded": 2}
    _sell(platform, "a", "1")
    assert [sale["key"] for sale in _HTTP.get(admin + "/sales?code=1").json()] == ["a"]
    assert _HTTP.get(admin + "/stats").json()["sales"] == 1
    assert _HTTP.get(admin + "/batches").json()[0]["items"] == 1
    assert _HTTP.get(admin + "/nothing").status_code == 404


@pytest.mark.parametrize(
    "position",
    [{"latncy": 1}, {"latency_ms": -1}, {"latency_ms": True}, {"error_rate": 2}, {"outage": "on"}, {"open": 1}],
)
def test_knob_that_does_not_exist_is_refused(platform: PlatformSim, position: dict[str, Any]) -> None:
    with pytest.raises(KnobError):
        platform.turn(**position)
    assert _HTTP.post(platform.admin_url + "/knobs", json=position).status_code == 400


@pytest.mark.parametrize("entry", [7, {}, {"code": ""}, {"code": "1", "state": "x"}, {"code": "1", "sold": [1]}])
def test_code_list_that_is_wrong_is_refused(platform: PlatformSim, entry: object) -> None:
    with pytest.raises(CodeError):
        platform.book.load([entry])
    assert _HTTP.post(platform.admin_url + "/codes", json=[entry]).status_code == 400


def test_command_runs_it_and_its_book_outlives_a_kill(tmp_path: Path) -> None:
    codes = tmp_path / "codes.txt"
    codes.write_text(f"{_CODE}\n8\n")
    command = [sys.executable, "-m", "scanlatch_tools.cli", "platform", "run", "--port", "0", "--admin-port", "0"]
    command += ["--database", str(tmp_path / "p.sqlite"), "--codes", str(codes), "--knob", "latency_ms=1"]
    for end in (signal.SIGKILL, signal.SIGTERM):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert "2 codes loaded" in process.stdout.readline()
        found = re.search(r"platform (\S+) knobs (\S+)", process.stdout.readline())
        assert found
        line = _call(found[1], "a").json()["output"]["selinfoDetail"][0]
        assert line["retRslt"] == "1"
        turned = subprocess.run(
            [*command[:4], "knobs", "outage=refuse", "--admin-port", found[2].rpartition(":")[2]],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "refuse" in turned.stdout
        with pytest.raises(httpx.ConnectError):
            _HTTP.get(found[1])
        process.send_signal(end)
        assert process.wait(10) == (-signal.SIGKILL if end == signal.SIGKILL else 0)
        process.stdout.close()
    with sqlite3.connect(tmp_path / "p.sqlite") as book:
        assert book.execute("SELECT count(*) FROM sales").fetchone() == (1,)


def test_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "scanlatch_tools.cli", "platform", "run", "--port", port]
        done = subprocess.run(
            [*command, "--admin-port", "0", "--database", ":memory:"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert port in done.stderr
