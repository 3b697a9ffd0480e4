"""Times: when a record was captured as the bridge knows it, beside what its terminal said."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UNTIMED = sa.text("corrected_by <> 'given'")
_ARCHIVED = sa.text(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'archive' AND tablename ~ '^scans_[0-9]{4}_[0-9]{2}$'"
)


def upgrade() -> None:
    for name in ("head_at", "newest_at", "adrift"):
        op.add_column("devices", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    _add("scans")
    op.create_index("scans_untimed", "scans", ["device", "seq"], sqlite_where=_UNTIMED, postgresql_where=_UNTIMED)
    if op.get_bind().dialect.name == "postgresql":  # months that were taken away are read by audits
        for table in op.get_bind().scalars(_ARCHIVED).all():
            _add(table, "archive")


def _add(table: str, schema: str | None = None) -> None:
    op.add_column(table, sa.Column("corrected_at", sa.BigInteger()), schema=schema)
    op.add_column(table, sa.Column("corrected_by", sa.String(10)), schema=schema)
