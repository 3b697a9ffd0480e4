"""A bridge goes on where its log does not: a full disk, a reader that is gone, characters that it cannot write."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from host_bridge import log

_SAID = "退货 \ud800 refused"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_full_disk_stops_nothing() -> None:
    with open("/dev/full", "w", encoding="utf-8", buffering=1) as full:
        log.as_json(full)
        for _ in range(3):
            structlog.get_logger().warning("ledger busy", detail="x" * 9_000)
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # so that it can be closed


def test_a_reader_that_is_gone_stops_nothing() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    gone = os.fdopen(writes, "w")
    log.as_json(gone)
    structlog.get_logger().warning("ready")
    with pytest.raises(BrokenPipeError):
        gone.close()
    structlog.get_logger().warning("and closed")


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "ascii"])
def test_what_a_log_cannot_write_is_written_otherwise(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "log"
    with path.open("w", encoding=encoding) as out:
        log.as_json(out)
        structlog.get_logger().warning("refused", text=_SAID)
    told = json.loads(path.read_text(encoding))
    assert told["event"] == "refused"
    assert told["text"].endswith("refused")
