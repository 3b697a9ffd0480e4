"""Keys: which bridge key each terminal uses and which each bridge holds; what replies say besides their result."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("commands", sa.Column("details", sa.JSON()))
    op.add_column("devices", sa.Column("bridge_kid", sa.String(16)))
    op.add_column("devices", sa.Column("certificate_until", sa.BigInteger()))
    op.add_column("bridges", sa.Column("kids", sa.Text()))
