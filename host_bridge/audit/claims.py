"""Holds the codes against the sales that stand: every code that is not free has its sale, and no box has two."""

from host_bridge.audit.findings import Findings
from host_bridge.ledger.audit import Books, Claim, Held
from host_bridge.ledger.codes import CLAIMED, OPENED, SOLD
from host_bridge.ledger.outbox import CANCELLED, DONE, HELD, SALE
from host_bridge.wire import Outcome

_STANDS = frozenset({Outcome.ACCEPTED, Outcome.PENDING})


def check(books: Books, findings: Findings, device: str | None = None) -> None:
    """Check all codes, or those that one device's sales are about."""
    for sale in books.sales(device):
        if stands(sale):
            _sale(findings, sale)
    for claim in books.claims(device):
        findings.codes += 1
        _claim(books, findings, claim)


def stands(sale: Held | Claim) -> bool:
    """Whether a submission of a sale holds its box: sent or to be sent, not refused, and not taken back.

    One whose record was archived away is not known to, and counts as none.
    """
    state = sale.state if isinstance(sale, Held) else sale.submission
    if not sale.here or state in (HELD, CANCELLED):  # held: it stands again only once the return is answered
        return False
    if state != DONE:
        return True
    return sale.outcome in _STANDS and not (sale.voided_by is not None and sale.voider == DONE)


def _sale(findings: Findings, sale: Held) -> None:
    wanted = OPENED if sale.split else SOLD if sale.state == DONE else CLAIMED
    where = f"code {sale.code}: the sale {sale.key} stands, but "
    if sale.holds in (None, "free"):
        findings.add("code", sale.device, where + "the code counts as free", sale.seq)
    elif not sale.split and sale.holder != sale.key:
        findings.add("holders", sale.device, where + f"{sale.holder} is said to hold it", sale.seq)
    elif sale.holds != wanted:
        findings.add("code", sale.device, where + f"the code is {sale.holds}, not {wanted}", sale.seq)
    elif sale.holder_site != sale.site:
        findings.add("code", sale.device, where + f"at {sale.site}, not {sale.holder_site}", sale.seq)


def _claim(books: Books, findings: Findings, claim: Claim) -> None:
    device, seq = claim.device or "nobody", claim.seq or 0
    sale = f"{device}/{seq}"
    if claim.kind != SALE or claim.submitted_code != claim.code:
        findings.add("code", device, f"code {claim.code} is {claim.state} by {sale}, which sold no such box", seq)
    elif claim.state == OPENED:
        sales = list(books.sales(code=claim.code))
        parts = sum(map(stands, sales))
        if parts != claim.parts and all(one.here for one in sales):
            what = f"code {claim.code}: {claim.parts} parts are said to be dispensed, {parts} sales of parts stand"
            findings.add("code", device, what, seq)
    elif claim.here and not stands(claim):
        findings.add("code", device, f"code {claim.code} is {claim.state} by {sale}, refused or taken back", seq)
    elif (claim.state == SOLD) != (claim.submission == DONE):
        findings.add("code", device, f"code {claim.code} is {claim.state}, but its sale is {claim.submission}", seq)
