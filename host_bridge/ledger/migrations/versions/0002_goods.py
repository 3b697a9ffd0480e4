"""Goods: products, batches, packages, deliveries, lines of a session, stock without codes; and who pays."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CODE = sa.String(512)
_SITE = sa.String(32)
_SESSION = sa.String(32)
_PRODUCT = sa.String(32)
_BATCH = sa.String(20)


def upgrade() -> None:
    op.add_column("codes", sa.Column("stock", _SITE))
    op.add_column("codes", sa.Column("repeats", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("codes", sa.Column("parts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("codes", sa.Column("placed_by", sa.String(64)))
    _index("codes_stock", "codes", ["stock"], "stock IS NOT NULL")
    op.add_column("alerts", sa.Column("site", _SITE))
    for table in ("sessions", "outbox"):
        op.add_column(table, sa.Column("payer", sa.String(12), nullable=False, server_default="insured"))
    op.add_column("sessions", sa.Column("expects", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("split", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("outbox", sa.Column("detail", sa.Text()))
    op.add_column("outbox", sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
    _index("outbox_code", "outbox", ["code", "turn"], "state NOT IN ('done', 'cancelled')")
    _index("outbox_parts", "outbox", ["code"], "split")
    _catalogue()
    _deliveries()
    _sessions()


def _catalogue() -> None:
    op.create_table(
        "products",
        sa.Column("id", _PRODUCT, primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gtin", sa.String(14)),
        sa.Column("barcode", sa.String(14)),
        sa.Column("catalogue_code", sa.String(50)),
        sa.Column("content", sa.Integer(), nullable=False),
        sa.Column("exempt", sa.Text()),
        sa.Index("products_gtin", "gtin"),
        sa.Index("products_barcode", "barcode"),
        sa.Index("products_catalogue_code", "catalogue_code"),
    )
    op.create_table(
        "product_prefixes",
        sa.Column("prefix", sa.String(7), primary_key=True),
        sa.Column("product", _PRODUCT, nullable=False),
        sa.Index("product_prefixes_product", "product"),
    )
    op.create_table(
        "batches",
        sa.Column("product", _PRODUCT, primary_key=True),
        sa.Column("batch", _BATCH, primary_key=True),
        sa.Column("expires_on", sa.Integer(), nullable=False),
    )
    op.create_table(
        "recalls",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("product", _PRODUCT, nullable=False),
        sa.Column("batch", _BATCH),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Index("recalls_product", "product"),
    )
    op.create_table(
        "units",
        sa.Column("code", _CODE, primary_key=True),
        sa.Column("product", _PRODUCT),
        sa.Column("batch", _BATCH),
        sa.Column("expires_on", sa.Integer()),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("parent", _CODE),
        sqlite_with_rowid=False,
    )
    _index("units_parent", "units", ["parent"], "parent IS NOT NULL")


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("site", _SITE, nullable=False),
        sa.Column("direction", sa.String(3), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Index("deliveries_site", "site", "opened_at"),
    )
    _index("deliveries_open", "deliveries", ["site"], "closed_at IS NULL")
    op.create_table(
        "delivery_items",
        sa.Column("delivery", sa.String(32), primary_key=True),
        sa.Column("code", _CODE, primary_key=True),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.Column("batch", _BATCH),
        sa.Column("expires_on", sa.Integer()),
        sa.Column("parent", _CODE),
        sa.Column("seen", sa.String(64)),
        sa.Column("differs", sa.Text()),
    )
    _index("delivery_items_seen", "delivery_items", ["seen"], "seen IS NOT NULL")
    op.create_table(
        "moves",
        sa.Column("device", sa.String(32), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("code", _CODE, primary_key=True),
        sa.Column("was", _SITE),
        sa.Column("before", sa.String(64)),
        sqlite_with_rowid=False,
    )


def _sessions() -> None:
    op.create_table(
        "session_lines",
        sa.Column("session", _SESSION, primary_key=True),
        sa.Column("line", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("product", _PRODUCT, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("split", sa.Boolean(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
    )
    op.create_table(
        "register",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("site", _SITE, nullable=False),
        sa.Column("product", _PRODUCT, nullable=False),
        sa.Column("batch", _BATCH, nullable=False),
        sa.Column("entered", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(32), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Index("register_site", "site", "product", "batch"),
    )
    op.create_table(
        "register_sales",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("session", _SESSION, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(32), nullable=False),
        sa.Column("sold_at", sa.BigInteger(), nullable=False),
        sa.Index("register_sales_session", "session"),
        sa.Index("register_sales_sold", "sold_at"),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("site", _SITE, nullable=False),
        sa.Column("session", _SESSION),
        sa.Column("product", _PRODUCT, nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("operator", sa.String(32), nullable=False),
        sa.Column("supervisor", sa.String(32), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=False),
        sa.Index("releases_site", "site", "released_at"),
    )


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
