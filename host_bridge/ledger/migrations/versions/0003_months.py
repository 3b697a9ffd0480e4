"""Records by month on PostgreSQL: `scans` becomes a partitioned table, and old months can be archived."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("devices", sa.Column("archived", sa.BigInteger(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE scans RENAME TO scans_before")
    op.execute("ALTER INDEX scans_pkey RENAME TO scans_before_pkey")
    op.execute("CREATE TABLE scans (LIKE scans_before INCLUDING DEFAULTS) PARTITION BY RANGE (received_at)")
    # A partition's column must be in the key. That (device, seq) is unique the device's row lock sees to.
    op.execute("ALTER TABLE scans ADD PRIMARY KEY (device, seq, received_at)")
    op.execute("CREATE TABLE scans_other PARTITION OF scans DEFAULT")
    edges = op.get_bind().execute(sa.text("SELECT min(received_at), max(received_at) FROM scans_before")).one()
    if edges[0] is not None:
        for number in range(_month(edges[0]), _month(edges[1]) + 1):
            name = f"scans_{number // 12:04}_{number % 12 + 1:02}"
            bounds = f"FROM ({_start(number)}) TO ({_start(number + 1)})"
            op.execute(f"CREATE TABLE {name} PARTITION OF scans FOR VALUES {bounds}")
        op.execute("INSERT INTO scans SELECT * FROM scans_before")
    op.execute("DROP TABLE scans_before")


def _month(at: int) -> int:
    day = datetime.fromtimestamp(at / 1000, UTC)
    return 12 * day.year + day.month - 1


def _start(number: int) -> int:
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
