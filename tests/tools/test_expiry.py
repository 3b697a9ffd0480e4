"""`scanlatch site certificates`: what is in the site's folder is told, and what should be there and is not."""

from pathlib import Path

import pytest
from scanlatch_tools import cli, site


def test_a_certificate_that_is_gone_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site.create(tmp_path / "s", ["clinic-7"]).folder
    assert _certificates(folder) == 0
    assert "ca.pem" in capsys.readouterr().out
    for name in ("ca/ca.pem", "bridge/bridge.pem"):
        (folder / name).rename(folder / "kept")
        assert _certificates(folder) == 1
        told = capsys.readouterr()
        (folder / "kept").rename(folder / name)
        assert f"! {folder / name} is not there: put it back" in told.err
        assert "broker.pem" in told.out  # the others are told all the same


def _certificates(folder: Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["site", "certificates", str(folder)])
    return ended.value.code
