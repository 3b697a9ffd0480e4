"""bridge.toml that is wrong says where, and what was probably meant."""

from pathlib import Path

import pytest

from host_bridge.config import load
from host_bridge.errors import ConfigError

_GOOD = """
[mqtt]
host = "127.0.0.1"
[bridge]
agreement_key = "bridge/agreement.key"
[platform]
kind = "rest"
url = "http://127.0.0.1:8810"
institution = "H00000000001"
[sites.clinic-7]
name = "Clinic 7"
"""


def _load(folder: Path, text: str) -> object:
    path = folder / "bridge.toml"
    path.write_text(text, "utf-8")
    return load(path)


def test_paths_count_from_the_files_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bridge.toml").write_text(_GOOD, "utf-8")
    monkeypatch.chdir("/")
    config = load(tmp_path / "bridge.toml")
    assert config.bridge.agreement_key == tmp_path / "bridge" / "agreement.key"
    assert config.ledger.url == f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    assert config.platform.deadline_ms == 900


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("host =", "hsot ="), "did you mean mqtt.host?"),
        (("[bridge]", "[brigde]"), "did you mean bridge?"),
        (('host = "127.0.0.1"', ""), "mqtt.host: is missing"),
        (('host = "127.0.0.1"', "host = 7"), "mqtt.host: must be str"),
        (("[bridge]", "port = 99999\n[bridge]"), "between 1 and 65535"),
        (("[bridge]", 'version = "4"\n[bridge]'), "one of 3.1.1, 5"),
        (("[bridge]", 'shared = "yes"\n[bridge]'), "mqtt.shared: must be bool"),
        (("[bridge]", 'ca = "ca.pem"\n[bridge]'), "come together or not at all"),
        (('host = "127.0.0.1"', 'host = "broker.clinic"'), "without TLS"),
        (("[sites.clinic-7]", "[sites.Clinic]"), "a site is 1 to 32 of"),
        (("[mqtt]", "[mqtt"), "bridge.toml"),
        (('"Clinic 7"', '"Clinic 7"\ncontrol_token = "K7M2QI"'), "without I, L, O, U"),
        (('"Clinic 7"', '"Clinic 7"\noutage = "ignore"'), "sites.clinic-7.outage: must be one of warn, lock"),
        (('"Clinic 7"', '"Clinic 7"\noutage_warn_hours = 1'), "outage_warn_hours: must lie between 2 and 720"),
        (('"Clinic 7"', '"Clinic 7"\noutage_warn_hours = 721'), "between 2 and 720"),
        (('"Clinic 7"', '"Clinic 7"\noutage_lock_days = 0'), "outage_lock_days: must lie between 1 and 365"),
        (('"Clinic 7"', '"Clinic 7"\noutage_lock_days = 366'), "between 1 and 365"),
        (('"Clinic 7"', '"Clinic 7"\noutage_lock_days = "3"'), "must be int"),
        (
            ('"Clinic 7"', '"Clinic 7"\ncontrol_token = "K7M2QX"\n[sites.p]\nname = "P"\ncontrol_token = "K7M2QX"'),
            "is another site's too",
        ),
    ],
)
def test_wrong_settings_are_refused_by_name(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, _GOOD.replace(*change))
    assert says in str(caught.value)


def test_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load(tmp_path / "none.toml")
