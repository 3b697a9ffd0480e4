"""What a person is told: templates in English, read out in the language of whoever stands before the screen.

The bridge's logs, its answers over HTTP and what it keeps stay English: `str()` of a text is that. A command line calls
`told`. The bridge itself brings no language along; the tools hand one in with `read_out_by`.
"""

from collections.abc import Callable
from typing import Any


class Text(str):
    """A sentence in English that still knows what it was made of, so that it can be said in another language."""

    template: str
    values: dict[str, Any]


def text(template: str, **values: object) -> Text:
    """The sentence of `template`, its places filled by name. The template is what the catalogue translates."""
    made = Text(template.format(**values))
    made.template, made.values = template, values
    return made


def told(said: object) -> str:
    """An error or text in the reader's language, with all that stands in it; what is neither, as `str` has it."""
    inner = said.args[0] if isinstance(said, BaseException) and said.args else said
    if not isinstance(inner, Text):
        return _others[0](said)
    values = {name: told(value) if isinstance(value, _SAID) else value for name, value in inner.values.items()}
    return _(inner.template).format(**values)


def _(message: str) -> str:
    """The reader's words for `message`, itself where there are none."""
    return _reader[0](message)


def N_(message: str) -> str:  # noqa: N802
    """Marks a sentence that is translated later, with `_`, where it is shown: for tables made at import."""
    return message


def read_out_by(translate: Callable[[str], str], others: Callable[[object], str] = str) -> None:
    """From now on `told` and `_` speak through `translate`, and say errors that are not ours through `others`."""
    _reader[0], _others[0] = translate, others


_SAID = (Text, BaseException)
_reader: list[Callable[[str], str]] = [str]
_others: list[Callable[[object], str]] = [str]
