"""bridge.toml to frozen settings; an unknown key is refused and the nearest valid one named."""

import difflib
import math
import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from host_bridge.code_rules import PATTERNS_MOST, CodeRules, wrong_link, wrong_pattern
from host_bridge.errors import ConfigError
from host_bridge.texts import text

_NAME = re.compile(r"[a-z0-9-]{1,32}\Z")  # WIRE.md "Topics"
_TOKEN = re.compile(r"[0-9A-HJKMNP-TV-Z]{6}\Z")  # Crockford's base 32: none looks like another
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
WARN_HOURS = 24  # firmware, system/outage.py
_MISSPELT = 0.6  # similarity from which a key is taken for a misspelling of another


@dataclass(frozen=True, slots=True)
class Mqtt:
    """[mqtt]: the broker. Without ca, certificate and key the connection is plain, and only loopback may be."""

    host: str
    port: int = 8883
    version: str = "3.1.1"  # "3.1.1" or "5"
    shared: bool = False  # subscribe through $share/bridge/...; needs a broker that can
    client_id: str = "bridge"
    verify: str | None = None  # host name expected in the broker's certificate; default: host
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    keepalive_s: int = 30


@dataclass(frozen=True, slots=True)
class Bridge:
    """[bridge]: intake and answers."""

    agreement_key: Path
    batch_size: int = 500  # most messages that share one transaction
    batch_wait_ms: int = 5  # how long messages that come together wait for more to share their commit


@dataclass(frozen=True, slots=True)
class Ledger:
    """[ledger]: the database."""

    url: str = "sqlite:///ledger.sqlite"
    busy_timeout_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """[platform]: who settles."""

    kind: str  # "rest"
    url: str
    institution: str
    timeout_s: float = 5.0
    deadline_ms: int = 900  # a pending verdict is sent only where the platform has not answered by then


@dataclass(frozen=True, slots=True)
class Site:
    """[sites.<id>]: one place with terminals."""

    name: str
    require_receipt: bool = False  # a sale needs the box to be received here before
    require_session: bool = False  # a sale needs a session in force
    return_hours: int = 240  # how long after its sale a box may come back
    offline_sales: str = "pending"  # or "refused": a sale while the platform is out of reach
    outage: str = "warn"  # or "lock": what its terminals do in a long outage
    outage_warn_hours: int = WARN_HOURS  # without a word of the bridge, then the light is amber
    outage_lock_days: int = 10  # the same, then nobody can sell, where it locks
    sales_level: int = 1  # highest packaging level that is sold: 1 the box
    first_digit: str = "8"  # digits that a twenty-digit code may begin with; empty: any
    own_codes: tuple[str, ...] | None = (
        None  # patterns of makers' own codes; none given: 8 to 100 signs, 6 of them digits
    )
    personal_codes: tuple[str, ...] = ()  # patterns of what is a person's, beside those that every terminal knows
    link_codes: tuple[str, ...] = ("*",)  # where a link has its code; "*": the piece of it that is twenty digits
    control_token: str = ""  # what the control codes of its printed sheet carry; without one its terminals take none

    @property
    def long_outage(self) -> dict[str, int]:
        """As a terminal's settings have it; what is the default is left out."""
        warn = {"warn_hours": self.outage_warn_hours} if self.outage_warn_hours != WARN_HOURS else {}
        return warn | ({"lock_days": self.outage_lock_days} if self.outage == "lock" else {})

    @property
    def codes(self) -> CodeRules:
        """What its terminals, and the bridge after them, take for a code."""
        return CodeRules(self.first_digit, self.own_codes, self.personal_codes, self.link_codes)


@dataclass(frozen=True, slots=True)
class Config:
    """All of bridge.toml; paths are absolute."""

    mqtt: Mqtt
    bridge: Bridge
    ledger: Ledger
    platform: PlatformSettings
    sites: dict[str, Site]


_LIMITS: dict[str, tuple[float, float]] = {
    "mqtt.port": (1, 65_535),
    "mqtt.keepalive_s": (5, 1_200),
    "bridge.batch_size": (1, 5_000),
    "bridge.batch_wait_ms": (0, 1_000),
    "ledger.busy_timeout_ms": (100, 60_000),
    "platform.timeout_s": (0.05, 120),
    "platform.deadline_ms": (0, 60_000),
    "sites.return_hours": (0, 87_600),
    "sites.outage_warn_hours": (2, 720),
    "sites.outage_lock_days": (1, 365),
    "sites.sales_level": (1, 9),
}
_CHOICES = {
    "mqtt.version": ("3.1.1", "5"),
    "platform.kind": ("rest",),
    "sites.offline_sales": ("pending", "refused"),
    "sites.outage": ("warn", "lock"),
}


def load(path: Path) -> Config:
    """Read `path` (TOML). Relative paths in it are taken from its own folder.

    Raises ConfigError, naming file and key.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(
            str(path),
            text("can't be read ({why}); it is the bridge.toml in the site's folder", why=text(error.strerror or "?")),
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(path), text("is no TOML: {error}", error=error)) from error
    base = path.resolve().parent
    sections: dict[str, Any] = {"mqtt": Mqtt, "bridge": Bridge, "ledger": Ledger, "platform": PlatformSettings}
    _known(path, "", document, [*sections, "sites"])
    built = {name: _section(path, base, name, kind, document.get(name)) for name, kind in sections.items()}
    sites = {
        name: _section(path, base, f"sites.{name}", Site, table)
        for name, table in _table(path, "sites", document.get("sites")).items()
    }
    config = Config(sites=sites, **built)
    _check(path, config)
    return _with_ledger_path(config, base)


def _section(path: Path, base: Path, name: str, kind: Any, table: object) -> Any:
    values = _table(path, name, table)
    _known(path, f"{name}.", values, [field.name for field in fields(kind)])
    hints = get_type_hints(kind)
    ready: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in values:
            where = f"{name}.{field.name}"
            ready[field.name] = _value(path, base, where, hints[field.name], values[field.name])
        elif field.default is MISSING:
            raise ConfigError(f"{path}: {name}.{field.name}", text("is missing"))
    return kind(**ready)


def _value(path: Path, base: Path, where: str, hint: Any, value: object) -> Any:
    wanted = str(hint)
    if "Path" in wanted and isinstance(value, str):
        return (base / value).resolve()
    if "tuple" in wanted:
        return _patterns(path, where, value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    plain = str if "str" in wanted else hint
    if not isinstance(value, plain) or (isinstance(value, bool) and plain is not bool):
        raise ConfigError(f"{path}: {where}", text("must be {kind}, not {value!r}", kind=plain.__name__, value=value))
    setting = f"{where.partition('.')[0]}.{where.rpartition('.')[2]}"  # of every site the same
    low, high = _LIMITS.get(setting, (-math.inf, math.inf))
    if isinstance(value, int | float) and not low <= value <= high:
        raise ConfigError(
            f"{path}: {where}", text("must lie between {low} and {high}, not {value}", low=low, high=high, value=value)
        )
    if setting in _CHOICES and value not in _CHOICES[setting]:
        raise ConfigError(
            f"{path}: {where}",
            text("must be one of {choices}, not {value!r}", choices=", ".join(_CHOICES[setting]), value=value),
        )
    return value


def _patterns(path: Path, where: str, value: object) -> tuple[str, ...]:
    setting = where.rpartition(".")[2]
    most = PATTERNS_MOST[setting]
    if not isinstance(value, list) or len(value) > most:  # pyright: ignore[reportUnknownArgumentType]
        raise ConfigError(f"{path}: {where}", text("must be a list of at most {most} patterns", most=most))
    for pattern in value:  # pyright: ignore[reportUnknownVariableType]
        wrong = (wrong_link if setting == "link_codes" else wrong_pattern)(str(pattern))  # pyright: ignore[reportUnknownArgumentType]
        if wrong:
            raise ConfigError(
                f"{path}: {where}", text("{pattern} is no pattern: one {wrong}", pattern=f"{pattern!r}", wrong=wrong)
            )
    return tuple(value)  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]


def _table(path: Path, name: str, table: object) -> dict[str, Any]:
    if table is None:
        return {}
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {name}", text("must be a table"))
    return table  # pyright: ignore[reportUnknownVariableType]


def _known(path: Path, prefix: str, table: dict[str, Any], valid: list[str]) -> None:
    for key in table:
        if key not in valid:
            near = difflib.get_close_matches(key, valid, 1, _MISSPELT)
            hint = (
                text("did you mean {name}?", name=f"{prefix}{near[0]}")
                if near
                else text("known here: {names}", names=", ".join(valid))
            )
            raise ConfigError(f"{path}: {prefix}{key}", text("is not a setting; {hint}", hint=hint))


def _check(path: Path, config: Config) -> None:
    for site, table in config.sites.items():
        if not _NAME.match(site):
            raise ConfigError(f"{path}: sites.{site}", text("a site is 1 to 32 of a-z 0-9 -"))
        if table.control_token and not _TOKEN.match(table.control_token):
            raise ConfigError(f"{path}: sites.{site}.control_token", text("6 of 0-9 A-Z without I, L, O, U"))
    tokens = [table.control_token for table in config.sites.values() if table.control_token]
    for site, table in config.sites.items():
        if tokens.count(table.control_token) > 1:
            raise ConfigError(f"{path}: sites.{site}.control_token", text("is another site's too: each has its own"))
    mqtt = config.mqtt
    given = [name for name in ("ca", "certificate", "key") if getattr(mqtt, name) is not None]
    if given and len(given) < 3:
        raise ConfigError(f"{path}: mqtt.{given[0]}", text("ca, certificate and key come together or not at all"))
    if not given and mqtt.host not in _LOOPBACK:
        raise ConfigError(f"{path}: mqtt.ca", text("is missing: without TLS the broker must be on loopback"))


def _with_ledger_path(config: Config, base: Path) -> Config:
    """SQLite's path counts from the file's folder, not from wherever the bridge was started."""
    prefix = "sqlite:///"
    url = config.ledger.url
    if url.startswith(prefix):
        url = f"{prefix}{(base / url.removeprefix(prefix)).resolve()}"
    ledger = Ledger(url, config.ledger.busy_timeout_ms)
    return Config(config.mqtt, config.bridge, ledger, config.platform, config.sites)
