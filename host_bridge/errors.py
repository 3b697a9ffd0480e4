"""The bridge's exceptions: few, each carrying its data; the type says whether trying again can help."""

from host_bridge.texts import text


class BridgeError(Exception):
    """Base of everything that the bridge raises on purpose."""


class TransientError(BridgeError):
    """May pass by itself: try again after a growing, bounded wait."""


class PermanentError(BridgeError):
    """Will not pass by itself: someone has to act, and the message says how."""


class ConfigError(PermanentError):
    """A setting that cannot be used. `where` names file and key."""

    def __init__(self, where: str, detail: str) -> None:
        super().__init__(text("{where}: {detail}", where=where, detail=detail))
        self.where = where
        self.detail = detail


class LedgerBusy(TransientError):  # noqa: N818
    """Another process held the ledger's write lock for longer than the busy timeout, or the disk is full."""

    def __init__(self, detail: str) -> None:
        super().__init__(text("the ledger cannot be written at the moment: {detail}", detail=detail))
        self.detail = detail


class LedgerBroken(PermanentError):  # noqa: N818
    """The ledger is not one that this version can work on."""

    def __init__(self, url: str, detail: str) -> None:
        super().__init__(text("ledger {url}: {detail}", url=url, detail=detail))
        self.url = url
        self.detail = detail


class UnknownDevice(PermanentError):  # noqa: N818
    """No device of this id is in the registry."""

    def __init__(self, device: str) -> None:
        super().__init__(
            text("no device {device!r} in the registry; `scanlatch bridge devices list` shows all", device=device)
        )
        self.device = device


class DeviceExists(PermanentError):  # noqa: N818
    """This device id was given before; ids are for life."""

    def __init__(self, device: str) -> None:
        super().__init__(text("device id {device!r} was given before; ids are for life, choose another", device=device))
        self.device = device


class BadInput(PermanentError):  # noqa: N818
    """Something entered by hand or by another system cannot be used. `where` names the entry and its field."""

    def __init__(self, where: str, detail: str) -> None:
        super().__init__(text("{where}: {detail}", where=where, detail=detail))
        self.where = where
        self.detail = detail


class NotFound(PermanentError):  # noqa: N818
    """Nothing of this kind has this name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(text("there is no {kind} {name!r}", kind=kind, name=name))
        self.kind = kind
        self.name = name


class AlreadyThere(PermanentError):  # noqa: N818
    """The name was given before."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(
            text("{kind} {name!r} is there already; choose another name, or change that one", kind=kind, name=name)
        )
        self.kind = kind
        self.name = name


class NotOpen(PermanentError):  # noqa: N818
    """A delivery or session that is over, or that belongs to another site."""

    def __init__(self, kind: str, name: str, why: str) -> None:
        super().__init__(text("{kind} {name!r} {why}; open a new one", kind=kind, name=name, why=why))
        self.kind = kind
        self.name = name
        self.why = why


class PackageTooBig(PermanentError):  # noqa: N818
    """More codes in one outermost package than a decision may have to look at."""

    def __init__(self, code: str, count: int, limit: int) -> None:
        super().__init__(
            text(
                "package {code!r} holds {count} codes, more than {limit}; enter what lies in it as packages",
                code=code,
                count=count,
                limit=limit,
            )
        )
        self.code = code
        self.count = count
        self.limit = limit


class StockShort(PermanentError):  # noqa: N818
    """The no-code register has less than is to be sold."""

    def __init__(self, product: str, wanted: int, remaining: int) -> None:
        super().__init__(
            text(
                "of {product!r} {remaining} stand in the register, {wanted} are wanted; nothing was sold",
                product=product,
                remaining=remaining,
                wanted=wanted,
            )
        )
        self.product = product
        self.wanted = wanted
        self.remaining = remaining


class MayNotDispense(PermanentError):  # noqa: N818
    """A product that must not go out: recalled, expired, or not on the session's lines."""

    def __init__(self, product: str, why: str) -> None:
        super().__init__(text("{product!r} may not be dispensed: {why}", product=product, why=why))
        self.product = product
        self.why = why
