"""What each rule means, for people: the text under its heading in docs/rules.md."""

DECIDED: dict[str, str] = {
    "Malformed record": (
        "The signature is good and the number reads, but something else is wrong: the site, a limit, data that is "
        "not what its family says. The record is kept as evidence and claims nothing."
    ),
    "Revoked device": (
        "Once it was revoked or retired, only records that were rescued over its cable come in. They are kept as "
        "evidence, marked by this reason, claim nothing, and are answered to nobody. What was decided before stands."
    ),
    "Suspended device": "Its records are kept as evidence and claim nothing. What was decided before stands.",
    "Session": (
        "A sale that names a session needs it in force: opened for this terminal, not closed, and not over when the "
        "box was read. A site may require one for every sale."
    ),
    "Session of another kind": (
        "A sale counts on its session's lines and for its payer, a stock-take's scan in its session's result, so "
        "both need a session of their kind, where they name one. What a return, a receipt, a dispatch or a query "
        "does hangs on the code alone: these are taken in whatever session they come."
    ),
    "Exempt": (
        "The catalogue says why the product carries no code that counts. A sale is answered `exempt`; nothing is "
        "claimed and the platform is not told. So is a return of what no sale has."
    ),
    "Sale once": (
        "One box, one code, one sale, over all sites: the code is claimed in the transaction that decides, and "
        "stays claimed until the platform has answered. Two terminals, two bridges, the same instant: one accept."
    ),
    "Sold elsewhere": (
        "Rejected at once. Two alerts: one for the site that presents the box, one for the site that sold it."
    ),
    "Duplicate here": (
        "Scanning a box twice is normal work, so the first two repeats at the same site are soft. From the third on "
        "each raises an alert. Counted since the sale; a return starts anew."
    ),
    "Not received here": (
        "Where the site requires receipt, only a box that was received there, by its own scan or in its package, is "
        "sold or sent on. A sale, a dispatch or a receipt elsewhere takes it out of the stock, a return or void "
        "puts it back."
    ),
    "Recalled": (
        "A recall of the product, or of the batch that the box is known to be of, is in force today. Recalled boxes "
        "are not received either; they can be sent back."
    ),
    "Expired": (
        "The last day comes from the code itself (GS1 AI 17), else from what was announced of the box, else from "
        "its batch. It is compared with the local day on which the box was read, the last day itself included. "
        "Where the terminal's clock was never set, the day on which the record came counts."
    ),
    "Substitution": (
        "The session says all that it may dispense, and this product is not on its lines; nor is one that the "
        "catalogue does not know."
    ),
    "Case at a window": (
        "Packaging levels count from the smallest: 1 is the box, 2 an inner pack, 3 and above a case. What lies "
        "above the site's `sales_level` is not sold there."
    ),
    "Parent and child": (
        "A box and the case that it lies in are never both sold, whichever came first; and in one delivery they are "
        "never both counted."
    ),
    "Quantity": (
        "Every line of the session for this product is full. A sale that is refused, voided or returned while the "
        "session is open makes room again."
    ),
    "Split packs": (
        "A line marked split dispenses a box in parts. Its first part opens the box; each further scan at the same "
        "site on such a line is one more, until the content that the catalogue gives is used up. Every part is told "
        "to the platform by itself. Without such a line an opened box is a duplicate here, at another site sold "
        "elsewhere. A return takes the last part back."
    ),
    "Offline policy": (
        "While the platform is out of reach a sale is pending, and settled later; or, where the site chooses so, "
        "refused. What is known to be wrong is refused either way."
    ),
    "Return": (
        "Takes back a sale of the same site that stands. The platform is told under a key of its own; once it "
        "agrees the code is free, its box in stock, and both may be sold again. What is being returned is not "
        "returned twice."
    ),
    "Return in time": (
        "Not later than the site's `return_hours` after the sale was read, both by the terminals' clocks."
    ),
    "Void": (
        "Takes back a scan of the running session, before the session closes: of a sale, a return, a receipt, a "
        "dispatch, a stock-take or a query. A sale or return of which the platform was never told is cancelled. A "
        "sale that was told is reversed as by a return. Either way its code is free, its box lies at the site, and its "
        "line has room again. The target's own verdict becomes `voided` where it was still pending. What was "
        "refused, a session's end and a void are not taken back."
    ),
    "Void of a return": (
        "The sale that the return took back stands again, and its box can't be sold: the platform is told of it anew, "
        "under the void's key, with the time of the sale, from which the hours for another return still count. Where "
        "the platform has not answered for the return yet, its answer comes first; where it refuses the return, "
        "nothing is left to undo. A return of the box later takes the sale back as ever."
    ),
    "Void at the dock": (
        "What the scan counted on its delivery is unseen again, all that lies in the package with it, and every box "
        "lies where it lay before, be that another site or nowhere."
    ),
    "Void of what changed nothing": (
        "A stock-take's scan does not count in its result, a query's answer is dropped, an exempt box is not "
        "reported as sold. Nothing else follows, for nothing else was changed."
    ),
    "Void of what moved on": (
        "What came after the scan is not torn up by taking it back. A box that was received and sold, sent on or "
        "received again since, here or elsewhere, one that was sent on and received somewhere since, a returned box "
        "that was sold again: all these have to be put right by a scan of their own. Of a package the same holds for "
        "all that its scan moved. A delivery that is closed stays as it was counted."
    ),
    "Session end": "Closes the session; whatever names it afterwards is refused. It closes once.",
    "Sold box at the dock": "A box that this site has sold is not received or sent on; it has to be returned first.",
    "Batch or date differs": (
        "What the code or the catalogue says of batch or last day is not what was announced. Not counted, noted "
        "with the delivery. An announced box that is refused as sold, recalled or expired is noted so too: it came, "
        "and is not missing."
    ),
    "Counted before": "Scanned again for the same delivery: accepted, and nothing changes.",
    "Announced": (
        "Seen, with the scan that saw it. A case counts for all that lies in it, by the announcement and by the "
        "packaging relations, however deep."
    ),
    "Not announced": "The site has an open delivery, but none announces this code: listed as extra.",
    "Without announcement": "No delivery is open: taken in, or sent on, and listed in the report as unannounced.",
    "Stock-take": (
        "Accepted whatever is known of the box, and nothing else changes: what was seen is compared with the stock "
        "afterwards."
    ),
    "Query": (
        "Changes nothing. What is known here is answered at once; else the platform is asked, and its four outcomes "
        "are shown: no sale (accepted), one sale by this site (duplicate here), one sale elsewhere (rejected, "
        "reason 2), several sales (rejected, reason 24). A code that it does not know is rejected, reason 3. It raises "
        "no alert: asking is not presenting for sale."
    ),
    "Sold here, says the platform": "Shown as a duplicate here; the code is free again.",
    "Sold elsewhere, says the platform": (
        "Rejected, with an alert for the site that presents the box, and one for the other site of ours that had it "
        "last: received it, sent it on, or took it back from a buyer. Where the ledger knows of none, the alert says "
        "so."
    ),
    "Sold several times, says the platform": "As where it is sold elsewhere: rejected, with the same alerts.",
    "Unknown code, says the platform": "Rejected; nobody ever registered such a code.",
    "Refused by the platform": "Rejected; the platform's text goes with the verdict.",
}
"""Of the rules that rows of the tables name."""

BESIDES: dict[str, str] = {
    "Receive": (
        "Against a delivery announcement, by codes or by cases with their children. What was announced and not seen "
        "is missing, what was seen and not announced is extra, and what differs is listed; the result of a delivery "
        "has all three."
    ),
    "Dispatch": (
        "Receive the other way round, against deliveries that go out. Boxes that are recalled or expired can be "
        "sent back."
    ),
    "No-code register": (
        "Stock that was bought without codes is entered by product, batch and quantity, and sold from there by a "
        "session, without a scan. Never below zero, and reported apart."
    ),
    "Exceptions": (
        "Where a code can't be read, a supervisor releases the box, with a reason and a name. Recorded and "
        "reported; never a silent pass, and no terminal can do it."
    ),
    "Self-pay and work-injury": (
        "The session says who pays. Every sale of it is told to the platform with that word and reported under it; "
        "the rules are the same for all."
    ),
}
"""Of what is decided elsewhere: by sessions, deliveries, the register, a supervisor."""
