"""Hints: what each terminal said last of itself, its status and its health."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hints",
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
    )
