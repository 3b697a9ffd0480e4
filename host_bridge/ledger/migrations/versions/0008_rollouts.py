"""Rollouts: update bundles, and how far each terminal is with one."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OPEN = sa.text("state IN ('running', 'waiting', 'stopped')")
_ACTIVE = sa.text("state IN ('queued', 'sending', 'trial', 'silent')")


def upgrade() -> None:
    op.create_table(
        "bundles",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("family", sa.String(32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "rollouts",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Boolean(), nullable=False),
        sa.Column("success", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("pause", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text()),
    )
    op.create_index("rollouts_open", "rollouts", ["id"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "rollout_devices",
        sa.Column("rollout", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("at", sa.Integer()),
        sa.Column("counter", sa.BigInteger()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("waits", sa.Integer(), nullable=False),
        sa.Column("boot", sa.BigInteger()),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text()),
    )
    op.create_index(
        "rollout_devices_active", "rollout_devices", ["device"], sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    )
    op.create_index("rollout_devices_part", "rollout_devices", ["rollout", "part", "state"])
