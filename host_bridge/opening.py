"""What a message from the broker claims, worked out before any transaction."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from host_bridge import cbor_peek, metrics
from host_bridge.devices import Keys, Registry
from host_bridge.wire import (
    Credential,
    DeviceKeys,
    Head,
    OpenedScan,
    Reply,
    WireError,
    digest,
    open_credential,
    open_head,
    open_reply,
    open_scan,
)

_TOPIC = re.compile(r"scanlatch/v1/([a-z0-9-]{1,32})/([a-z0-9-]{1,32})/([a-z]{1,16})\Z")
_TOPICS = 65_536  # topics remembered
HINTS = frozenset({"status", "health"})  # never evidence: see hints.py
EVIDENCE = frozenset({"scan", "head"})  # quarantined where they claim nothing
KINDS = ("scan", "head", "credential", "reply", "status", "health")  # what devices publish


@dataclass(slots=True)
class Inbound:
    """One message from the broker; `ack` tells the broker that it is done with."""

    topic: str
    payload: bytes
    ack: Callable[[], None]


@dataclass(slots=True)
class Opened:
    """One message with what it claims: `content` where it holds, else `why` it claims nothing."""

    site: str  # in the topic
    device: str
    kind: str
    message: bytes
    digest: bytes
    content: OpenedScan | Head | Credential | Reply | None
    why: str | None
    keys_version: int | None  # None: no such device
    kid: str | None = None  # id of the bridge key that it was sealed under, hex, where it was under one


class Opener:
    """Verifies messages against the registry's keys."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def open(self, message: Inbound) -> Opened | None:
        """What `message` claims; None for hints, which claim nothing, and for topics that are none of ours."""
        where = place(message.topic)
        if where is None or where[2] not in KINDS:
            metrics.refused.labels("other", "topic").inc()
            return None
        site, device, kind = where
        metrics.messages.labels(kind).inc()
        if kind in HINTS:
            return None
        return self.opened(site, device, kind, message.payload, self._registry.keys(device))

    def opened(self, site: str, device: str, kind: str, message: bytes, keys: Keys | None) -> Opened:
        """The same for a message whose topic is taken apart already."""
        if keys is None:
            return Opened(site, device, kind, message, digest(message), None, "no such device", None)
        try:
            content, kid = _READERS[kind](message, device, keys)
        except WireError as error:
            return Opened(site, device, kind, message, digest(message), None, str(error), keys.version)
        known = content.digest if isinstance(content, OpenedScan) else digest(message)
        return Opened(site, device, kind, message, known, content, None, keys.version, kid)


_Content = OpenedScan | Head | Credential | Reply


def _shared(
    open_one: Callable[[bytes, DeviceKeys, str], _Content],
) -> Callable[[bytes, str, Keys], tuple[_Content, str]]:
    """A reader that tries each bridge key, the one first that the device is known to use (WIRE.md "Keys")."""

    def opened(message: bytes, device: str, keys: Keys) -> tuple[_Content, str]:
        wrong: WireError | None = None
        for kid, shared in keys.shared.items():
            try:
                return open_one(message, shared, device), kid
            except WireError as error:
                wrong = wrong or error
        raise wrong or WireError("key", "no bridge key")

    return opened


_READERS: dict[str, Callable[[bytes, str, Keys], tuple[_Content, str | None]]] = {
    "scan": lambda message, device, keys: (open_scan(message, device, keys.signing), None),
    "head": lambda message, device, keys: (open_head(message, device, keys.signing), None),
    "credential": _shared(lambda message, shared, device: open_credential(message, shared.credential, device)),
    "reply": _shared(lambda message, shared, device: open_reply(message, shared.mac, device)),
}


def peek(message: bytes, key: int) -> int | bytes | None:
    """What can be read under `key` in the payload of a message that claims nothing; proves nothing by itself."""
    payload = cbor_peek.payload(message)
    return None if payload is None else cbor_peek.find(payload, key)


@lru_cache(maxsize=_TOPICS)
def place(topic: str) -> tuple[str, str, str] | None:
    """(site, device, kind) of a topic; None where it is none of ours."""
    found = _TOPIC.match(topic)
    return (found[1], found[2], found[3]) if found else None
