"""The whole audit: every device's chain, then what was made of the records, at one moment of the ledger."""

from collections.abc import Mapping

from host_bridge.audit import claims
from host_bridge.audit.chain import Walk
from host_bridge.audit.findings import MOST, Findings
from host_bridge.config import Site
from host_bridge.errors import UnknownDevice
from host_bridge.ledger import audit as read
from host_bridge.ledger import devices
from host_bridge.ledger.audit import Books
from host_bridge.texts import text
from host_bridge.wire import digest


def audit(url: str, sites: Mapping[str, Site], now: int, device: str | None = None) -> Findings:
    """Audit the ledger at `url`, or one device of it; `now` is ms UTC. Bridges may go on beside.

    Raises UnknownDevice, LedgerBroken, LedgerBusy.
    """
    findings = Findings()
    with read.opened(url) as books:
        rows = [row for row in devices.every(books.connection) if device in (None, row.id)]
        if device is not None and not rows:
            raise UnknownDevice(device)
        for row in rows:
            findings.devices.append(Walk(books, findings, row, sites, now).walk())
            _quarantined(books, findings, row.id)
        if device is None:
            for stranger in books.unregistered():
                findings.add("stranger", stranger, text("has records, and is not in the registry"))
        _strays(books, findings, device)
        claims.check(books, findings, device)
        if books.months:
            findings.notes.append(
                text("read too: {months}", months=", ".join(f"archive.{month}" for month in books.months))
            )
    return findings


def _quarantined(books: Books, findings: Findings, device: str) -> None:
    count = 0
    for named, kind, message, why in books.quarantined(device):
        if digest(message) != named:
            findings.add(
                "quarantine", device, text("a quarantined {kind} is not the message that its digest names", kind=kind)
            )
        elif count < MOST:
            findings.notes.append(
                text(
                    "{device}: a {kind} in quarantine, {hex}: {why}",
                    device=device,
                    kind=kind,
                    hex=named.hex()[:16],
                    why=why,
                )
            )
        count += 1
    if count > MOST:
        findings.notes.append(
            text("{device}: {count} messages in quarantine in all; they claim nothing", device=device, count=count)
        )


def _strays(books: Books, findings: Findings, device: str | None) -> None:
    told = {"verdicts": ("verdict", text("a final verdict")), "outbox": ("submission", text("a submission"))}
    for table, (kind, what) in told.items():
        archived = 0
        for name, seq, is_archived in books.strays(table, device):
            archived += is_archived
            if not is_archived:
                findings.add(
                    kind, name, text("{what} belongs to record {seq}, which is not here", what=what, seq=seq), seq
                )
        if archived:
            findings.notes.append(
                text(
                    "{archived} rows of {table} belong to records that were archived: not audited",
                    archived=archived,
                    table=table,
                )
            )
