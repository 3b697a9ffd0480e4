"""The texts of a site's generated files: bridge.toml, mosquitto.conf and the broker's ACL."""

import ipaddress
import json
from collections.abc import Sequence
from pathlib import Path

from scanlatch_tools.site_plan import BRIDGE_USER, Plan

QUEUE_BYTES = 64 * 1024 * 1024  # a day of one busy site while its bridge is down
QUEUE_MESSAGES = 200_000  # the same, at 320 bytes each
IN_FLIGHT = 1_000  # mosquitto's 20 would starve a grouped commit
PACKET_BYTES = 8_192  # a message of 4,096 bytes, its topic and room
KEEPALIVE_S = 30
# A machine that died without a goodbye is given its share of the scans for one and a half keepalives: over before
# devices send again, after 30 s.
SHARED_KEEPALIVE_S = 10

FROM_DEVICE = ("scan", "head", "credential", "reply", "status", "health")
TO_DEVICE = ("verdict", "receipt", "command")


def bridge_toml(plan: Plan, name: str) -> str:
    """Settings of the bridge `name`. Paths are relative to the file's own folder."""
    # amqtt answers no MQTT 5 CONNECT and knows no $share
    full = plan.broker == "mosquitto"
    shared = plan.bridges > 1
    sharing = (
        "one of several bridges: each is given a part of what comes"
        if shared
        else "true where several bridges share the load; a lone one has the broker keep what comes while it is away"
    )
    sites = "\n".join(_site(site, token) for site, token in zip(plan.sites, plan.tokens, strict=True))
    return f"""\
# Settings of the bridge. Written by `scanlatch site init`; paths are relative to this file's folder.

[mqtt]
host = {_text(plan.hosts[0])}
port = {plan.port}
verify = {_text(plan.hosts[0])}  # the name that the broker's certificate must bear
version = {_text("5" if full else "3.1.1")}  # chosen for {plan.broker}
shared = {str(shared).lower()}  # {sharing}
keepalive_s = {SHARED_KEEPALIVE_S if shared else KEEPALIVE_S}
ca = "ca/ca.pem"
certificate = "bridge/{name}.pem"
key = "bridge/{name}.key"
client_id = {_text(name)}

[bridge]
agreement_key = "bridge/agreement.key"

[ledger]
url = {_text(plan.ledger)}

[platform]
kind = "rest"
url = {_text(plan.platform_url)}
institution = {_text(plan.institution)}
timeout_s = 5.0
deadline_ms = 900  # no answer by then: the terminal is told "pending"

{sites}"""


def _site(site: str, token: str) -> str:
    about = "of its printed control codes; another one makes all sheets void, and its terminals are enrolled again"
    return f"[sites.{site}]\nname = {_text(site)}\ncontrol_token = {_text(token)}  # {about}\n"


def mosquitto_conf(plan: Plan, folder: Path, user: str) -> str:
    """Configuration of mosquitto 2.0 for the site in `folder`, run as `user` where it is started as root."""
    bind = " 127.0.0.1" if all(_loopback(host) for host in plan.hosts) else ""
    return f"""\
# Written by `scanlatch site init`. Check after a change: mosquitto -c {folder}/mosquitto.conf
# Whoever owns the keys in {folder}/broker runs the broker.
user {user}

listener {plan.port}{bind}
cafile {folder}/ca/ca.pem
certfile {folder}/broker/broker.pem
keyfile {folder}/broker/broker.key
# Read again, with the ACL, at SIGHUP: `scanlatch fleet` writes both, and needs the process for that.
crlfile {folder}/revoked.pem
pid_file {folder}/broker/mosquitto.pid
tls_version tlsv1.2

# A client is who its certificate says, and nobody else: else one device could throw another off.
allow_anonymous false
require_certificate true
use_identity_as_username true
use_username_as_clientid true
acl_file {folder}/acl

# Half of an answer would wait 40 ms for the other side's acknowledgement.
set_tcp_nodelay true

# The defaults, 20 in flight and 1,000 queued, would lose a backlog. Beyond the first of the two queue limits
# messages are dropped; devices send again what no receipt covers.
max_inflight_messages {IN_FLIGHT}
max_queued_bytes {QUEUE_BYTES}
max_queued_messages {QUEUE_MESSAGES}
max_packet_size {PACKET_BYTES}

persistence true
persistence_location {folder}/broker/data/
autosave_interval 60
persistent_client_expiration 3m

log_dest stderr
log_type error
log_type warning
log_type notice
"""


def acl(bridges: Sequence[str] = (BRIDGE_USER,)) -> str:
    """Who may say and hear what (WIRE.md "Topics"); %u is the common name of the client's certificate."""
    lines = [
        "# Written by `scanlatch site init`. A device speaks and listens under its own name only.",
        *(f"pattern write scanlatch/v1/+/%u/{kind}" for kind in FROM_DEVICE),
        *(f"pattern read scanlatch/v1/+/%u/{kind}" for kind in TO_DEVICE),
    ]
    for bridge in bridges:
        lines += [
            "",
            f"user {bridge}",
            *(f"topic read scanlatch/v1/+/+/{kind}" for kind in FROM_DEVICE),
            *(f"topic write scanlatch/v1/+/+/{kind}" for kind in TO_DEVICE),
        ]
    return "\n".join(lines) + "\n"


_REVOKED = "# Revoked. Written by `scanlatch fleet`; what stands below is not kept."


def denied(acl: str) -> list[str]:
    """Who is shut out by an ACL."""
    lines = acl.partition(_REVOKED)[2].splitlines()
    return [line.removeprefix("user ") for line in lines if line.startswith("user ")]


def denying(acl: str, devices: Sequence[str]) -> str:
    """The same ACL, in which exactly these are shut out: what they publish is refused, and nothing is for them."""
    kept = acl.partition(_REVOKED)[0].rstrip("\n") + "\n"
    blocks = "".join(f"\nuser {device}\ntopic deny #\n" for device in sorted(devices))
    return kept + (f"\n{_REVOKED}\n{blocks}" if blocks else "")


def _text(value: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(value)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
