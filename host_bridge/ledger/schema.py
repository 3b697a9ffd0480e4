"""The ledger's tables. No type here is SQLite's alone; docs of a column stand beside it.

Times are ms UTC. Digests are SHA-256 of whole messages. A change here needs a migration beside it.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData()

_DEVICE = String(32)
SITE = String(32)
CODE = String(512)
SESSION = String(32)

# Conditions of partial indexes. A query must hold the very same text, or the index is passed over.
OPEN = "state IN ('waiting', 'sending', 'unknown')"
IS_HELD = "state = 'held'"
UNSETTLED = "state NOT IN ('done', 'cancelled')"
IS_PART = "split"
IS_DUE = "sent = 0"
IS_SENT = "sent = 1"
IS_UNSENT = "NOT sent"
IN_STOCK = "stock IS NOT NULL"
UNTIMED = "corrected_by <> 'given'"


def only(name: str, *columns: str, where: str) -> Index:
    """An index over the few rows that `where` holds for, whatever the table grows to."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


devices = Table(
    "devices",
    metadata,
    Column("id", _DEVICE, primary_key=True),
    Column("site", SITE, nullable=False),  # today's
    Column("former_sites", JSON, nullable=False),
    Column("status", String(10), nullable=False),  # enrolled | suspended | revoked
    Column("signing_public", LargeBinary, nullable=False),  # uncompressed P-256 point
    Column("agreement_public", LargeBinary, nullable=False),
    Column("certificate", String(64)),  # SHA-256 of the TLS certificate, hex
    Column("certificate_until", BigInteger),  # when that ends; null where nobody said
    Column("bridge_kid", String(16)),  # id of the bridge key that it uses, hex; null: of the first
    Column("keys_version", Integer, nullable=False),  # grows with every change of a key
    Column("enrolled_at", BigInteger, nullable=False),
    Column("spoke_from", SITE),  # site in the topic that it last spoke under: answers go there
    # Where the chain stands: every seq <= upto is passed (WIRE.md "Receipt"), and decided where it is a record.
    Column("upto", BigInteger, nullable=False),
    Column("receipt_seq", BigInteger, nullable=False),  # greatest passed seq whose bytes are here
    Column("receipt_digest", LargeBinary, nullable=False),
    Column("newest", BigInteger, nullable=False),  # greatest seq that a record here or `passed` has
    Column("quarantined", Integer, nullable=False),
    Column("archived", BigInteger, nullable=False, server_default="0"),  # greatest seq whose record was archived
    Column("head_boot", BigInteger, nullable=False),
    Column("head_connection", BigInteger, nullable=False),
    Column("head_uptime", BigInteger, nullable=False),
    Column("head_newest", BigInteger, nullable=False),
    Column("head_newest_digest", LargeBinary, nullable=False),
    Column("head_digest", LargeBinary, nullable=False),  # of the last accepted head message
    Column("head_at", BigInteger, nullable=False, server_default="0"),  # when that came
    Column("newest_at", BigInteger, nullable=False, server_default="0"),  # when the newest record was captured
    Column("adrift", BigInteger, nullable=False, server_default="0"),  # a seq whose time may yet be found; 0: none
    Column("last_record_at", BigInteger, nullable=False),
    Column("resend_asked_at", BigInteger, nullable=False),
    Column("resend_asks", Integer, nullable=False),  # since the gap last shrank; waits grow with it
    Column("command_counter", BigInteger, nullable=False),
    Column("credential_boot", BigInteger, nullable=False),
    Column("credential_counter", BigInteger, nullable=False),
    only("devices_behind", "id", where="head_newest > upto"),
    only("devices_undecided", "id", where="newest > upto"),
)

scans = Table(
    "scans",
    metadata,
    Column("device", _DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("message", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("prev", LargeBinary),  # null where it could not be read
    Column("fault", Text),  # what is wrong with it; such a record is evidence and claims nothing
    Column("operation", SmallInteger),
    Column("code", CODE),  # canonical trace code
    Column("site", SITE),
    Column("session", SESSION),
    Column("target", BigInteger),
    Column("captured_at", BigInteger),  # as the terminal says
    Column("corrected_at", BigInteger),  # as the bridge knows; null where it came before there was this column
    Column("corrected_by", String(10)),  # how: given | uptime | neighbours | receipt, see times.py
    Column("received_at", BigInteger, nullable=False),
    # The first verdict; null while a lower seq is missing. A final one after a pending one is in `verdicts`.
    Column("outcome", SmallInteger),
    Column("reason", SmallInteger),
    Column("decided_at", BigInteger),
    Column("voided_by", String(64)),  # <device>/<seq> of the void or return that took it back
    only("scans_untimed", "device", "seq", where=UNTIMED),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("device", _DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("reason", SmallInteger, nullable=False),
    Column("text", String(64)),
    Column("decided_at", BigInteger, nullable=False),
    Column("repeat", Boolean, nullable=False),  # the pending one went out: send again after the next head
    Column("sent", SmallInteger, nullable=False),  # 0 until PUBACK, 1 until the next head, 2 done
    only("verdicts_due", "device", "seq", where=IS_DUE),
    only("verdicts_sent", "device", "seq", where=IS_SENT),
)

codes = Table(
    "codes",
    metadata,
    Column("code", CODE, primary_key=True),
    Column("state", String(8), nullable=False),  # free | claimed | sold | opened
    Column("device", _DEVICE),  # holder: the sale that claimed it, of an opened box the last
    Column("seq", BigInteger),
    Column("site", SITE),
    Column("since", BigInteger, nullable=False),
    Column("stock", SITE),  # where it was received and not sold, returned to a supplier or sent on since
    Column("repeats", SmallInteger, nullable=False, server_default="0"),  # sales refused as sold here before
    Column("parts", Integer, nullable=False, server_default="0"),  # dispensed of an opened box
    Column("placed_by", String(64)),  # <device>/<seq> of the scan at a dock, or the return, that last placed the box
    only("codes_stock", "stock", where=IN_STOCK),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("key", String(64), primary_key=True),  # <device>/<seq>: the idempotency key at the platform
    Column("kind", String(8), nullable=False),  # sale | reverse | query
    Column("state", String(9), nullable=False),  # waiting | sending | unknown | held | parked | done | cancelled
    Column("device", _DEVICE, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # of the record, for its final verdict
    Column("code", CODE, nullable=False),
    Column("site", SITE, nullable=False),
    Column("session", SESSION),
    Column("captured_at", BigInteger, nullable=False),
    # Key of the submission that it undoes: a reverse a sale, a sale a reverse that was voided. Held, it waits for
    # that one's answer.
    Column("reverses", String(64)),
    Column("made_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),  # not tried before
    Column("trouble", SmallInteger),  # why the last call brought no answer: reason 14 or 15
    Column("claimed_by", String(64)),  # client id of the bridge that is at it
    Column("claimed_at", BigInteger),
    Column("pending_at", BigInteger),  # when the pending verdict goes out; null once it did or need not
    Column("payer", String(12), nullable=False, server_default="insured"),  # as its session's
    Column("split", Boolean, nullable=False, server_default=false()),  # a part of an opened box
    Column("detail", Text),  # what a person should know of a row that was taken in hand, or that is stuck
    Column("turn", Integer, nullable=False, server_default="0"),  # among the rows of its code that are not settled
    only("outbox_open", "state", "next_at", "seq", where=OPEN),
    only("outbox_held", "reverses", where=IS_HELD),
    only("outbox_code", "code", "turn", where=UNSETTLED),
    only("outbox_pending", "pending_at", where="pending_at IS NOT NULL"),
    only("outbox_parts", "code", where=IS_PART),
)

passed = Table(
    "passed",  # seqs that are passed without a record in `scans`: WIRE.md "Receipt" (b) and (c)
    metadata,
    Column("device", _DEVICE, primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("how", String(11), nullable=False),  # quarantined | lost
    Column("digest", LargeBinary),  # of the quarantined message
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("device", _DEVICE, nullable=False),  # from the topic: a claim, not a fact
    Column("kind", String(8), nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("why", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index("quarantine_device", "device"),
)

conflicts = Table(
    "conflicts",  # a valid signature on a used seq with other bytes: kept beside the first
    metadata,
    Column("device", _DEVICE, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True),
    Column("message", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
)

heads = Table(
    "heads",
    metadata,
    Column("device", _DEVICE, primary_key=True),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("connection", BigInteger, primary_key=True, autoincrement=False),
    Column("uptime", BigInteger, primary_key=True, autoincrement=False),
    Column("message", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("device", _DEVICE, nullable=False),
    Column("first", BigInteger, nullable=False),  # range of seqs it is about
    Column("last", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("site", SITE),  # whom it concerns where that is not the device's own
    Index("alerts_device", "device", "kind", "closed_at", "first", "last"),  # a terminal in wrong hands makes many
)

commands = Table(
    "commands",
    metadata,
    Column("device", _DEVICE, primary_key=True),
    Column("counter", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(32), nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("not_after", BigInteger, nullable=False),
    Column("sent", Boolean, nullable=False),  # until PUBACK
    Column("result", Text),
    Column("details", JSON),  # of its reply
    Column("replied_at", BigInteger),
    only("commands_unsent", "device", "counter", where=IS_UNSENT),
    Index("commands_name", "device", "name", "counter"),  # the last of a name: its terminal's others are many
)

sessions = Table(
    "sessions",  # opened by a credential or the pharmacy system; holds nothing of a person
    metadata,
    Column("id", SESSION, primary_key=True),
    Column("device", _DEVICE, nullable=False),
    Column("site", SITE, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("payer", String(12), nullable=False, server_default="insured"),  # insured | self-pay | work-injury
    Column("expects", Boolean, nullable=False, server_default=false()),  # its lines say all that it may dispense
)
