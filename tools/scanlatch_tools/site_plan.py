"""What a site is to be, held against what is possible before anything is made."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scanlatch_tools.errors import ToolError
from scanlatch_tools.texts import _

BRIDGE_USER = "bridge"
BRIDGES_MAX = 16
NAME = re.compile(r"[a-z0-9-]{1,32}")  # WIRE.md "Topics"
RESERVED = re.compile(r"bridge(-.*)?|broker")  # common names with rights of their own in the ACL
SQLITE, POSTGRES = "sqlite:///", "postgresql+psycopg://"
LEDGER = "sqlite:///ledger.sqlite"  # where nothing else is asked for
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32
_TOKEN_SIZE = 6
_HOST = re.compile(r"[A-Za-z0-9.:-]{1,253}")
_INSTITUTION = re.compile(r"[A-Z0-9]{12}")

Broker = Literal["mosquitto", "amqtt"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What `scanlatch site init` is asked for."""

    sites: tuple[str, ...]
    hosts: tuple[str, ...]  # names and addresses of the broker; the first is what bridge and devices connect to
    port: int
    platform_url: str
    institution: str
    broker: Broker
    bridges: int
    ledger: str  # SQLAlchemy URL; a relative path in it is taken from the site's folder
    tokens: tuple[str, ...]  # one a site: its printed control codes carry it


def bridge_names(count: int) -> tuple[str, ...]:
    """Users at the broker of `count` bridges, which name their files too: a lone one needs no number."""
    if count == 1:
        return (BRIDGE_USER,)
    return tuple(f"{BRIDGE_USER}-{number}" for number in range(1, count + 1))


def check_name(name: str, what: str) -> str:
    """`name` where it may stand in a topic.

    Raises:
        ToolError: it may not.
    """
    if not NAME.fullmatch(name):
        raise ToolError(_("{what} {name!r}: use 1 to 32 of a-z, 0-9 and -").format(what=what, name=name))
    return name


def plan(
    sites: Sequence[str],
    hosts: Sequence[str],
    port: int,
    platform_url: str,
    institution: str,
    broker: Broker,
    bridges: int,
    ledger: str | None,
) -> Plan:
    """What `site.create` is asked for, checked. Raises ToolError: a name or number can't be used."""
    url = (ledger or LEDGER).replace("postgresql://", POSTGRES, 1)
    if not sites:
        raise ToolError(_("name at least one site: --site clinic-7"))
    if len(set(sites)) != len(sites):
        raise ToolError(_("a site is named twice"))
    if not hosts:
        raise ToolError(_("name the broker's host: --host 192.168.1.10"))
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ToolError(_("{host!r} is neither a host name nor an address").format(host=host))
    if not 0 < port < 65536:
        raise ToolError(_("{port} is no port").format(port=port))
    if not platform_url.startswith(("http://", "https://")):
        raise ToolError(_("{platform_url!r} is no http or https address").format(platform_url=platform_url))
    if not _INSTITUTION.fullmatch(institution):
        raise ToolError(_("institution {institution!r}: 12 of A-Z and 0-9").format(institution=institution))
    _check_fleet(bridges, broker, url)
    names = tuple(check_name(site, _("site")) for site in sites)
    return Plan(names, tuple(hosts), port, platform_url, institution, broker, bridges, url, tuple(map(_token, names)))


def _token(_site: str) -> str:
    return "".join(secrets.choice(_CROCKFORD) for _ in range(_TOKEN_SIZE))


def _check_fleet(bridges: int, broker: Broker, ledger: str) -> None:
    if not 0 < bridges <= BRIDGES_MAX:
        raise ToolError(_("{bridges} bridges: 1 to {bridges_max}").format(bridges=bridges, bridges_max=BRIDGES_MAX))
    if not ledger.startswith((SQLITE, POSTGRES)):
        raise ToolError(
            _("the ledger's URL begins with {postgres} or {sqlite}").format(postgres=POSTGRES, sqlite=SQLITE)
        )
    if bridges > 1 and not ledger.startswith(POSTGRES):
        raise ToolError(
            _("several bridges need one ledger in PostgreSQL: --ledger {postgres}USER@HOST/DATABASE").format(
                postgres=POSTGRES
            )
        )
    if bridges > 1 and broker != "mosquitto":
        raise ToolError(
            _("several bridges need a broker that shares subscriptions: mosquitto, not {broker}").format(broker=broker)
        )
