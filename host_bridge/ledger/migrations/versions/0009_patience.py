"""Patience: a command's last of its name is found at once; a terminal of an update may lack memory for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("commands_name", "commands", ["device", "name", "counter"])
    op.add_column("rollout_devices", sa.Column("put_off_at", sa.BigInteger()))
