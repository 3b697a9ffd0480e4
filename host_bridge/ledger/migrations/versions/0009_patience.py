"""Patience: a terminal of an update may lack memory for a while; commands and alerts are found among many at once."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("commands_name", "commands", ["device", "name", "counter"])
    op.drop_index("alerts_device", "alerts")
    op.create_index("alerts_device", "alerts", ["device", "kind", "closed_at", "first", "last"])
    op.add_column("rollout_devices", sa.Column("put_off_at", sa.BigInteger()))
