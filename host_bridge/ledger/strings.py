"""How texts go to PostgreSQL: without what it cannot hold."""

import psycopg
from psycopg.abc import Buffer
from psycopg.types.string import StrBinaryDumper, StrDumper


def settle(connection: psycopg.Connection, _record: object) -> None:
    """Make a new connection write every text so."""
    connection.adapters.register_dumper(str, _BinaryWithoutNul)
    connection.adapters.register_dumper(str, _TextWithoutNul)  # the later one where either would do


class _TextWithoutNul(StrDumper):
    """PostgreSQL's text holds no NUL. Texts come from terminals and platforms: one of them must not stop a bridge."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(_without_nul(obj))


class _BinaryWithoutNul(StrBinaryDumper):
    """The same where values go as they are."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(_without_nul(obj))


def _without_nul(text: str) -> str:
    return text.replace("\0", "\N{SYMBOL FOR NULL}") if "\0" in text else text
