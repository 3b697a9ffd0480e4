"""Enrolment of a terminal whose firmware is real: its own keys, its own certificate request, twice over."""

import json
from pathlib import Path

import pytest
from cryptography import x509
from scanlatch_tools import boards, enrol, site
from scanlatch_tools.twin.device import Twin

_READ_BACK = """
from scanlatch.keep import store
from scanlatch.system import board, settings
nvs = store.Nvs(board.nvs())
print(sorted(settings.load()["broker"].items()))
print(len(nvs.get_bytes("mac_key")), len(nvs.get_bytes("cred_key")), len(nvs.get_bytes("journal")))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> site.Site:
    return site.create(tmp_path_factory.mktemp("twin") / "site", ["clinic-7"])


def test_twin_is_enrolled_and_again_with_the_same_keys(place: site.Site, tmp_path: Path) -> None:
    steps: list[str] = []
    with Twin(tmp_path / "twin") as twin:
        board = boards.load("twin")
        first = enrol.enrol(place.folder, twin, "d-window-01", "clinic-7", board, tell=steps.append)
        read_back = twin.run(_READ_BACK)
        again = enrol.enrol(place.folder, twin, "d-window-01", "clinic-7", board)
        assert twin.run(_READ_BACK).splitlines()[1] == read_back.splitlines()[1] == "32 16 8"
    assert (first.anew, again.anew) == (True, False)
    assert first.signing == again.signing
    tls = [x509.load_der_x509_certificate(one.certificate).public_key() for one in (first, again)]
    assert tls[0] == tls[1]
    assert len(steps) == 4
    assert ("host", "127.0.0.1") in eval(read_back.splitlines()[0])


def test_no_private_key_is_in_any_file_that_the_host_wrote(place: site.Site, tmp_path: Path) -> None:
    with Twin(tmp_path / "twin") as twin:
        enrol.enrol(place.folder, twin, "d-window-02", "clinic-7", boards.load("twin"))
        secrets = json.loads((twin.folder / "nvs.json").read_text())
    text = json.dumps(secrets)
    assert "sign_key" in text
    for path in [*place.folder.rglob("*"), *twin.files.rglob("*")]:
        if path.is_file():
            raw = path.read_bytes()
            for name in ("sign_key", "agree_key", "tls_key"):
                assert _secret(secrets, name) not in raw, path


def _secret(stored: dict[str, dict[str, object]], name: str) -> bytes:
    value = stored["scanlatch"][name]
    found = value if isinstance(value, str) else json.dumps(value)
    assert len(found) >= 64
    return bytes.fromhex(found[-64:])
