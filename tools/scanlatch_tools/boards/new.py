"""Asks for a new board, holds each answer against schema and chip at once, and writes a commented file."""

import json
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scanlatch_tools.boards.checks import Tables, clashes
from scanlatch_tools.boards.chips import CHIPS
from scanlatch_tools.boards.schema import Board, Table, allowed, choices, kind_of, model_of, unit, variants
from scanlatch_tools.boards.words import nearest, wrong_keys
from scanlatch_tools.errors import ToolError
from scanlatch_tools.flash.partitions import LAYOUTS
from scanlatch_tools.texts import _
from scanlatch_tools.texts.foreign import why

NONE = "none"  # what is answered where there is no such part
_YES = {"yes": True, "true": True, "y": True, "是": True, "no": False, "false": False, "n": False, "否": False}
_NOT_ASKED = {"board.name", "uart.place", "light.place", "buzzer.place", "button.place"}

Ask = Callable[[str, str, str | None], str]  # (key, what it means and may be, default) -> answer
Tell = Callable[[str], None]


class AnswerError(ToolError):
    """An answer that can't be; says which key, and what is allowed."""


def made(name: str, like: Tables, given: dict[str, str], ask: Ask | None, tell: Tell) -> Tables:
    """The tables of a new board.

    Args:
        name: the file's own, without `.toml`.
        like: where defaults come from before the schema's own; may be empty.
        given: answers by key (`uart.tx`), not asked for.
        ask: for all others; None: defaults are taken, and a key without one is an error.
        tell: gets a sentence for each answer that can't be.

    Raises:
        AnswerError: a given answer can't be, one is missing, or one is for a key that there is not.
    """
    answers = _Answers(dict(given), ask, tell)
    draft: Tables = {"board": {"name": name}}
    for table in Board.model_fields:
        default = like.get(table, {})
        if table == "flash":
            default = {"image": CHIPS[draft["board"]["chip"]].image, **default}
        answers.fill(draft, table, default)
    answers.all_taken()
    while troubles := [*wrong_keys(draft), *clashes(draft)]:
        if ask is None:
            raise AnswerError("\n".join(troubles))
        for trouble in troubles:
            tell(trouble)
        for table in dict.fromkeys(trouble.partition(".")[0] for trouble in troubles):
            answers.fill(draft, table, draft.get(table, {}))
    return draft


class _Answers:
    def __init__(self, given: dict[str, str], ask: Ask | None, tell: Tell) -> None:
        self._given = given
        self._ask = ask
        self._tell = tell

    def fill(self, draft: Tables, table: str, like: dict[str, Any]) -> None:
        """Ask for all keys of a table; leaves it away where the answer to its first is "none"."""
        optional = not Board.model_fields[table].is_required()
        draft[table] = {"name": draft["board"]["name"]} if table == "board" else {}
        models = variants(table)
        model = models[0]
        if len(models) > 1:
            kinds = [str(kind_of(model)) for model in models]
            if optional:
                kinds.append(NONE)
            kind = self._kind(draft, table, kinds, like.get("kind", NONE if optional else None))
            if optional and kind == NONE:
                del draft[table]
                return
            draft[table]["kind"] = kind
            model = model_of(table, draft[table]) or models[0]
        elif optional and not self._is_there(table, bool(like)):
            del draft[table]
            return
        for key in sorted(model.model_fields, key="onboard".__ne__):  # it decides what pins there may be
            if key not in draft[table]:
                self._key(draft, table, key, model.model_fields[key], _proposed(draft, table, like).get(key))
        order = list(model.model_fields)
        draft[table] = {key: draft[table][key] for key in order if key in draft[table]}

    def all_taken(self) -> None:
        """Raises AnswerError where an answer was given that nothing asked for."""
        for key in self._given:
            if key == "board.name":
                raise AnswerError(_("board.name is how the file is called: choose the file's name"))
            table, _dot, name = key.partition(".")
            known = [
                f"{at}.{inner}" for at in Board.model_fields for model in variants(at) for inner in model.model_fields
            ]
            if key in known or key in Board.model_fields:
                raise AnswerError(
                    _("{key} has no place here: {table} is another kind, or there is none").format(key=key, table=table)
                )
            raise AnswerError(
                _("{key} is not known{nearest}").format(key=key, nearest=nearest(key, dict.fromkeys(known)))
                if name
                else _("{key}: write it as table.key").format(key=key)
            )

    def _kind(self, draft: Tables, table: str, kinds: list[str], default: str | None) -> str:
        key = f"{table}.kind"
        means = _(Board.model_fields[table].description or "")
        while True:
            answer = self._answer(key, f"{means}: {', '.join(kinds)}", default)
            trouble = _of(key, {**draft, table: {"kind": answer}})
            if answer in kinds and (trouble is None or answer == NONE):
                return answer
            self._wrong(
                trouble
                or _("{key} is {value!r}: use one of {field}").format(key=key, value=answer, field=", ".join(kinds))
            )

    def _is_there(self, table: str, default: bool) -> bool:
        if any(key.startswith(f"{table}.") for key in self._given):
            return True
        while True:
            answer = self._answer(
                table,
                _("is there a {table}? yes, {none}").format(table=table, none=NONE),
                "yes" if default else NONE,
            )
            if answer in ("yes", NONE):
                return answer == "yes"
            self._wrong(_("{table} is {answer!r}: use yes or {none}").format(table=table, answer=answer, none=NONE))

    def _key(self, draft: Tables, table: str, key: str, field: FieldInfo, like: Any) -> None:
        name = f"{table}.{key}"
        default = like if like is not None else field.default
        if default is PydanticUndefined:
            default = None
        elif default is None:
            default = NONE
        while True:
            if name in _NOT_ASKED and name not in self._given:
                answer = str(like or "")
            else:
                may_be = _("yes, no") if field.annotation is bool else _may_be(field)
                answer = self._answer(name, f"{_(field.description or '')} ({may_be})", _text(key, default))
            if answer == NONE and not field.is_required():
                return
            draft[table][key] = _value(answer, field)
            trouble = _of(name, draft)
            if trouble is None:
                return
            del draft[table][key]
            self._wrong(trouble)

    def _answer(self, key: str, means: str, default: str | None) -> str:
        if key in self._given:
            return self._given.pop(key)
        if self._ask is not None:
            return self._ask(key, means, default).strip()
        if default is None:
            raise AnswerError(_("{key} is missing: {means}").format(key=key, means=means))
        return default

    def _wrong(self, trouble: str) -> None:
        if self._ask is None:
            raise AnswerError(trouble)
        self._tell(trouble)


def _proposed(draft: Tables, table: str, like: dict[str, Any]) -> dict[str, Any]:
    """Defaults of a table: those of the board that is like it, but for the layout of a flash of another size."""
    size = draft[table].get("size_mb")
    return {**like, **LAYOUTS.get(int(size or 0), {})} if size != like.get("size_mb") else like


def _of(name: str, draft: Tables) -> str | None:
    """What can't be with this key, by now. Of others it is told at the end: no answer to this one would mend it."""
    named = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    troubles = chain(wrong_keys(draft, whole=False), clashes(draft, whole=False))
    return next((trouble for trouble in troubles if named.search(trouble)), None)


def _may_be(field: FieldInfo) -> str:
    of = _(unit(field)) if unit(field) else ""
    return f"{of} {allowed(field)}" if of == "GPIO" else f"{allowed(field)} {of}".strip()


def _value(answer: str, field: FieldInfo) -> Any:
    """An answer as the key's type where it can be; the schema says the rest."""
    kinds = choices(field)
    if answer.lower() in _YES and field.annotation is bool:
        return _YES[answer.lower()]
    if field.annotation is str or (kinds and isinstance(kinds[0], str)):
        return answer
    try:
        return int(answer, 0)
    except ValueError:
        return answer


def _text(key: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return hex(value) if key.endswith("_at") else str(value)
    return value


def write(path: Path, tables: Tables) -> None:
    """Write a board file in which every key says what it means.

    Raises:
        ToolError: the file is there already; it is left as it is.
    """
    lines = [f"# {tables['board']['title']}.", ""]
    for table, values in tables.items():
        model: type[Table] = model_of(table, values) or variants(table)[0]
        lines.append(f"[{table}]  # {_(Board.model_fields[table].description or '')}")
        width = max(len(f"{key} = {_toml(key, value)}") for key, value in values.items())
        for key, value in values.items():
            if value == "":
                continue
            field = model.model_fields[key]
            said = f"{key} = {_toml(key, value)}"
            may_be = _may_be(field)
            if key == "kind" and len(variants(table)) > 1:
                may_be = ", ".join(str(kind_of(variant)) for variant in variants(table))
            lines.append(f"{said:<{width}}  # {_(field.description or '')} ({may_be})")
        lines.append("")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write("\n".join(lines))
    except FileExistsError:
        raise ToolError(
            _("{path} is there already: choose another name, or take it away first").format(path=path)
        ) from None
    except OSError as error:
        raise ToolError(_("{path} can't be written: {error}").format(path=path, error=why(error))) from error


def _toml(key: str, value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return str(_text(key, value))
