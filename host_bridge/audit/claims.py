"""Holds the codes against the sales that stand: every code that is not free has its sale, and no box has two."""

from host_bridge.audit.findings import Findings
from host_bridge.ledger.audit import Books, Claim, Held
from host_bridge.ledger.codes import CLAIMED, OPENED, SOLD
from host_bridge.ledger.outbox import CANCELLED, DONE, HELD, SALE
from host_bridge.texts import text
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
    if sale.holds in (None, "free"):
        kind, but = "code", text("the code counts as free")
    elif not sale.split and sale.holder != sale.key:
        kind, but = "holders", text("{holder} is said to hold it", holder=sale.holder)
    elif sale.holds != wanted:
        kind, but = "code", text("the code is {holds}, not {wanted}", holds=sale.holds, wanted=wanted)
    elif sale.holder_site != sale.site:
        kind, but = "code", text("at {site}, not {holder_site}", site=sale.site, holder_site=sale.holder_site)
    else:
        return
    what = text("code {code}: the sale {key} stands, but {but}", code=sale.code, key=sale.key, but=but)
    findings.add(kind, sale.device, what, sale.seq)


def _claim(books: Books, findings: Findings, claim: Claim) -> None:
    device, seq = claim.device or "nobody", claim.seq or 0
    about = {
        "code": claim.code,
        "state": claim.state,
        "sale": f"{device}/{seq}",
        "submission": claim.submission,
    }
    if claim.kind != SALE or claim.submitted_code != claim.code:
        findings.add("code", device, text("code {code} is {state} by {sale}, which sold no such box", **about), seq)
    elif claim.state == OPENED:
        sales = list(books.sales(code=claim.code))
        parts = sum(map(stands, sales))
        if parts != claim.parts and all(one.here for one in sales):
            what = text(
                "code {code}: {said} parts are said to be dispensed, {parts} sales of parts stand",
                code=claim.code,
                said=claim.parts,
                parts=parts,
            )
            findings.add("code", device, what, seq)
    elif claim.here and not stands(claim):
        findings.add("code", device, text("code {code} is {state} by {sale}, refused or taken back", **about), seq)
    elif (claim.state == SOLD) != (claim.submission == DONE):
        findings.add("code", device, text("code {code} is {state}, but its sale is {submission}", **about), seq)
