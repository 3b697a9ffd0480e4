"""The bridge's exceptions: few, each carrying its data; the type says whether trying again can help."""


class BridgeError(Exception):
    """Base of everything that the bridge raises on purpose."""


class TransientError(BridgeError):
    """May pass by itself: try again after a growing, bounded wait."""


class PermanentError(BridgeError):
    """Will not pass by itself: someone has to act, and the message says how."""


class ConfigError(PermanentError):
    """A setting that cannot be used. `where` names file and key."""

    def __init__(self, where: str, detail: str) -> None:
        super().__init__(f"{where}: {detail}")
        self.where = where
        self.detail = detail


class LedgerBusy(TransientError):  # noqa: N818
    """Another process held the ledger's write lock for longer than the busy timeout, or the disk is full."""

    def __init__(self, detail: str) -> None:
        super().__init__(f"the ledger cannot be written at the moment: {detail}")
        self.detail = detail


class LedgerBroken(PermanentError):  # noqa: N818
    """The ledger is not one that this version can work on."""

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(f"ledger {url}: {detail}")
        self.url = url
        self.detail = detail


class UnknownDevice(PermanentError):  # noqa: N818
    """No device of this id is in the registry."""

    def __init__(self, device: str) -> None:
        super().__init__(f"no device {device!r} in the registry; `scanlatch bridge devices list` shows all")
        self.device = device


class DeviceExists(PermanentError):  # noqa: N818
    """This device id was given before; ids are for life."""

    def __init__(self, device: str) -> None:
        super().__init__(f"device id {device!r} was given before; ids are for life, choose another")
        self.device = device


class BrokerRefused(PermanentError):  # noqa: N818
    """The broker does not let this bridge in."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"broker {host}:{port} refused the bridge: {reason}; check [mqtt] and the broker's ACL")
        self.host = host
        self.port = port
        self.reason = reason
