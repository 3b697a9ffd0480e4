"""A stock-take: what was seen at a site against what should lie there; nothing is changed by it."""

from dataclasses import dataclass

from host_bridge import packages
from host_bridge.errors import NotFound, NotOpen
from host_bridge.ledger import Ledger, goods, periods, sessions, stock
from host_bridge.ledger.catalogue import descendants
from host_bridge.wire import Operation, Outcome


@dataclass(frozen=True, slots=True)
class Differences:
    """Boxes only, packages apart; codes in order.

    surplus: seen, though it should not be at this site; of a package that is here, what was taken out of it is none.
    """

    site: str
    session: str
    expected: tuple[str, ...]
    seen: tuple[str, ...]
    missing: tuple[str, ...]
    missing_packages: tuple[str, ...]
    surplus: tuple[str, ...]


def differences(ledger: Ledger, site: str, session: str) -> Differences:
    """Hold the scans of a stock-take's session against the site's stock as it is now.

    Who scans a package counts all that is known to lie in it. Raises NotFound, NotOpen for a session of another site
    or kind.
    """
    with ledger.read() as connection:
        row = sessions.get(connection, [session], locked=False).get(session)
        if row is None:
            raise NotFound("session", session)
        if row.site != site or row.kind != "stock-take":
            raise NotOpen("session", session, f"is no stock-take at {site}")
        scans = periods.of_session(connection, session)
        counting = [one for one in scans if one.operation == Operation.STOCK_TAKE and not one.voided]
        seen = {one.code for one in counting if one.code and one.outcome == Outcome.ACCEPTED}
        expected = set(stock.at(connection, site))
        inside = descendants(connection, seen)
        parents = goods.parents(connection, expected)
        holding = {parent for parent, _, _ in goods.contents(connection, expected)}
    counted = packages.count(expected, parents, seen, holding)
    strangers = [code for code in seen - expected if expected.isdisjoint(inside[code])]
    surplus = {box for code in strangers for box in inside[code] or (code,)}
    return Differences(
        site=site,
        session=session,
        expected=counted.boxes,
        seen=counted.seen,
        missing=counted.missing,
        missing_packages=counted.missing_packages,
        surplus=tuple(sorted(surplus)),
    )
