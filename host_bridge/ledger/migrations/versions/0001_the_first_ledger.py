"""The first ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index("alerts_device", ["device", "kind", "closed_at"], unique=False)

    op.create_table(
        "codes",
        sa.Column("code", sa.String(length=512), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("site", sa.String(length=32), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "commands",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("counter", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("replied_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("device", "counter"),
    )
    with op.batch_alter_table("commands", schema=None) as batch_op:
        batch_op.create_index(
            "commands_unsent",
            ["device", "counter"],
            unique=False,
            sqlite_where=sa.text("NOT sent"),
            postgresql_where=sa.text("NOT sent"),
        )

    op.create_table(
        "conflicts",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "seq", "digest"),
    )
    op.create_table(
        "devices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("former_sites", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("signing_public", sa.LargeBinary(), nullable=False),
        sa.Column("agreement_public", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=True),
        sa.Column("keys_version", sa.Integer(), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("spoke_from", sa.String(length=32), nullable=True),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("receipt_seq", sa.BigInteger(), nullable=False),
        sa.Column("receipt_digest", sa.LargeBinary(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("head_boot", sa.BigInteger(), nullable=False),
        sa.Column("head_connection", sa.BigInteger(), nullable=False),
        sa.Column("head_uptime", sa.BigInteger(), nullable=False),
        sa.Column("head_newest", sa.BigInteger(), nullable=False),
        sa.Column("head_newest_digest", sa.LargeBinary(), nullable=False),
        sa.Column("head_digest", sa.LargeBinary(), nullable=False),
        sa.Column("last_record_at", sa.BigInteger(), nullable=False),
        sa.Column("resend_asked_at", sa.BigInteger(), nullable=False),
        sa.Column("resend_asks", sa.Integer(), nullable=False),
        sa.Column("command_counter", sa.BigInteger(), nullable=False),
        sa.Column("credential_boot", sa.BigInteger(), nullable=False),
        sa.Column("credential_counter", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.create_index(
            "devices_behind",
            ["id"],
            unique=False,
            sqlite_where=sa.text("head_newest > upto"),
            postgresql_where=sa.text("head_newest > upto"),
        )
        batch_op.create_index(
            "devices_undecided",
            ["id"],
            unique=False,
            sqlite_where=sa.text("newest > upto"),
            postgresql_where=sa.text("newest > upto"),
        )

    op.create_table(
        "heads",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("boot", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("connection", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uptime", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "boot", "connection", "uptime"),
    )
    op.create_table(
        "outbox",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.String(length=512), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=True),
        sa.Column("captured_at", sa.BigInteger(), nullable=False),
        sa.Column("reverses", sa.String(length=64), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.SmallInteger(), nullable=True),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("pending_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "outbox_held",
            ["reverses"],
            unique=False,
            sqlite_where=sa.text("state = 'held'"),
            postgresql_where=sa.text("state = 'held'"),
        )
        batch_op.create_index(
            "outbox_open",
            ["state", "next_at", "seq"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'sending', 'unknown')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending', 'unknown')"),
        )
        batch_op.create_index(
            "outbox_pending",
            ["pending_at"],
            unique=False,
            sqlite_where=sa.text("pending_at IS NOT NULL"),
            postgresql_where=sa.text("pending_at IS NOT NULL"),
        )

    op.create_table(
        "passed",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("how", sa.String(length=11), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("device", "first"),
    )
    op.create_table(
        "quarantine",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index("quarantine_device", ["device"], unique=False)

    op.create_table(
        "scans",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("operation", sa.SmallInteger(), nullable=True),
        sa.Column("code", sa.String(length=512), nullable=True),
        sa.Column("site", sa.String(length=32), nullable=True),
        sa.Column("session", sa.String(length=32), nullable=True),
        sa.Column("target", sa.BigInteger(), nullable=True),
        sa.Column("captured_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.SmallInteger(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("voided_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("device", "seq"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "verdicts",
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.String(length=64), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        sa.Column("sent", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "seq"),
    )
    with op.batch_alter_table("verdicts", schema=None) as batch_op:
        batch_op.create_index(
            "verdicts_due",
            ["device", "seq"],
            unique=False,
            sqlite_where=sa.text("sent = 0"),
            postgresql_where=sa.text("sent = 0"),
        )
        batch_op.create_index(
            "verdicts_sent",
            ["device", "seq"],
            unique=False,
            sqlite_where=sa.text("sent = 1"),
            postgresql_where=sa.text("sent = 1"),
        )
