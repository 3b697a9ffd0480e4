"""The ledger's tables about goods: products, batches, packages, deliveries, sessions' lines, stock without codes.

Packaging levels are counted from the smallest unit: 1 is the box that is sold, 2 an inner pack, 3 and above a case.
Days are integers, yyyymmdd; times ms UTC. A change here needs a migration beside it.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, Table, Text

from host_bridge.ledger.schema import CODE, SESSION, SITE, metadata, only

PRODUCT = String(32)
BATCH = String(20)  # GS1 AI 10

products = Table(
    "products",
    metadata,
    Column("id", PRODUCT, primary_key=True),
    Column("name", Text, nullable=False),
    Column("gtin", String(14)),  # of the box that is sold; 14 digits
    Column("barcode", String(14)),  # the product barcode on every box ("69 code")
    Column("catalogue_code", String(50)),  # the insurance's code of the drug
    Column("content", Integer, nullable=False),  # parts that an opened box can be dispensed in
    Column("exempt", Text),  # why it carries no code; null: it does
    Index("products_gtin", "gtin"),
    Index("products_barcode", "barcode"),
    Index("products_catalogue_code", "catalogue_code"),
)

product_prefixes = Table(
    "product_prefixes",  # first 7 digits of twenty-digit codes; a product may have several
    metadata,
    Column("prefix", String(7), primary_key=True),
    Column("product", PRODUCT, nullable=False),
    Index("product_prefixes_product", "product"),
)

batches = Table(
    "batches",
    metadata,
    Column("product", PRODUCT, primary_key=True),
    Column("batch", BATCH, primary_key=True),
    Column("expires_on", Integer, nullable=False),  # last day on which it may be dispensed
)

recalls = Table(
    "recalls",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("product", PRODUCT, nullable=False),
    Column("batch", BATCH),  # null: every batch
    Column("why", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger),  # null: in force
    Index("recalls_product", "product"),
)

units = Table(
    "units",  # what is known of one code beside its own state: from announcements and imports
    metadata,
    Column("code", CODE, primary_key=True),
    Column("product", PRODUCT),
    Column("batch", BATCH),
    Column("expires_on", Integer),
    Column("level", SmallInteger, nullable=False),
    Column("parent", CODE),  # the package that it lies in
    only("units_parent", "parent", where="parent IS NOT NULL"),
    sqlite_with_rowid=False,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("site", SITE, nullable=False),
    Column("direction", String(3), nullable=False),  # in | out
    Column("partner", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Index("deliveries_site", "site", "opened_at"),
    only("deliveries_open", "site", where="closed_at IS NULL"),
)

delivery_items = Table(
    "delivery_items",
    metadata,
    Column("delivery", String(32), primary_key=True),
    Column("code", CODE, primary_key=True),
    Column("announced", Boolean, nullable=False),  # false: scanned though nobody announced it
    Column("batch", BATCH),  # as announced
    Column("expires_on", Integer),
    Column("parent", CODE),  # announced package that it lies in
    Column("seen", String(64)),  # <device>/<seq> of the scan that counted it, its package's where that one did
    Column("differs", Text),  # what of the goods is not as announced
    only("delivery_items_seen", "seen", where="seen IS NOT NULL"),
)

moves = Table(
    "moves",  # what a scan at a dock made of where boxes lie: a void undoes it
    metadata,
    Column("device", String(32), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("code", CODE, primary_key=True),
    Column("was", SITE),  # where it lay before
    Column("before", String(64)),  # codes.placed_by before
    sqlite_with_rowid=False,
)

session_lines = Table(
    "session_lines",  # what a session may dispense, where its system said so
    metadata,
    Column("session", SESSION, primary_key=True),
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    Column("product", PRODUCT, nullable=False),
    Column("quantity", Integer, nullable=False),  # boxes, or parts where it is split
    Column("split", Boolean, nullable=False),
    Column("taken", Integer, nullable=False),
)

register = Table(
    "register",  # the no-code register: stock that was bought without codes
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("site", SITE, nullable=False),
    Column("product", PRODUCT, nullable=False),
    Column("batch", BATCH, nullable=False),
    Column("entered", Integer, nullable=False),
    Column("remaining", Integer, nullable=False),
    Column("operator", String(32), nullable=False),
    Column("entered_at", BigInteger, nullable=False),
    Index("register_site", "site", "product", "batch"),
)

register_sales = Table(
    "register_sales",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("entry", Integer, nullable=False),
    Column("session", SESSION, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("operator", String(32), nullable=False),
    Column("sold_at", BigInteger, nullable=False),
    Index("register_sales_session", "session"),
    Index("register_sales_sold", "sold_at"),
)

releases = Table(
    "releases",  # boxes that a supervisor let go though their code could not be read
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("site", SITE, nullable=False),
    Column("session", SESSION),
    Column("product", PRODUCT, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("operator", String(32), nullable=False),
    Column("supervisor", String(32), nullable=False),  # who let it go
    Column("released_at", BigInteger, nullable=False),
    Index("releases_site", "site", "released_at"),
)
