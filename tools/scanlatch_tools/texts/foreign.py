"""Sentences that others say to a person, typer, the operating system and parsers, in the reader's language."""

import re
from string import Formatter

from scanlatch_tools.texts import N_, _

_TYPER = (
    N_("{said}. Did you mean {names}?"),
    N_("{said} (Possible options: {names})"),
    N_("No such option: {option}"),
    N_("Got unexpected extra argument(s) ({arguments})"),
    N_("Missing argument {hint}."),
    N_("Missing option {hint}."),
    N_("Missing argument {hint}. Choose from:{choices}"),
    N_("Missing option {hint}. Choose from:{choices}"),
    N_("Invalid value for {hint}: {why}"),
    N_("Invalid value: {why}"),
    N_("Option {option} requires an argument."),
    N_("Option {option} requires {count} arguments."),
    N_("Option {option} does not take a value."),
    N_("Argument {name} takes {count} values."),
    N_("{value} is not one of {choices}"),
    N_("Input should be a valid integer, unable to parse string as an integer"),
    N_("Input should be a valid number, unable to parse string as a number"),
    N_("Input should be a finite number"),
    N_("Input should be greater than or equal to {least}"),
    N_("Input should be less than or equal to {most}"),
)
_SYSTEM = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Operation not permitted"),
    N_("File exists"),
    N_("Not a directory"),
    N_("Is a directory"),
    N_("Directory not empty"),
    N_("No space left on device"),
    N_("Disk quota exceeded"),
    N_("File too large"),
    N_("File name too long"),
    N_("Read-only file system"),
    N_("Too many open files"),
    N_("Too many levels of symbolic links"),
    N_("Input/output error"),
    N_("Device or resource busy"),
    N_("No such device"),
    N_("No such device or address"),
    N_("Inappropriate ioctl for device"),
    N_("Invalid argument"),
    N_("Broken pipe"),
    N_("Address already in use"),
    N_("Cannot assign requested address"),
    N_("Connection refused"),
    N_("Connection reset by peer"),
    N_("Connection timed out"),
    N_("No route to host"),
    N_("Network is unreachable"),
    N_("Name or service not known"),
    N_("Temporary failure in name resolution"),
    N_("timed out"),
)
_PARSERS = (
    N_("{why} (at line {line}, column {column})"),
    N_("{why} (at end of document)"),
    N_("{why}: line {line} column {column} (char {at})"),
    N_("Expected '=' after a key in a key/value pair"),
    N_("Expected ']' at the end of a table declaration"),
    N_("Expected newline or end of document after a statement"),
    N_("Invalid value"),
    N_("Invalid statement"),
    N_("Invalid initial character for a key part"),
    N_("Unclosed array"),
    N_("Unclosed inline table"),
    N_("Unterminated string"),
    N_("Illegal character {sign}"),
    N_("Cannot declare {name} twice"),
    N_("Cannot overwrite a value"),
    N_("Expecting value"),
    N_("Expecting property name enclosed in double quotes"),
    N_("Expecting {sign} delimiter"),
    N_("Extra data"),
    N_("Unterminated string starting at"),
    N_("{encoding} codec can't decode byte {byte} in position {at}: {why}"),
    N_("invalid start byte"),
    N_("invalid continuation byte"),
    N_("unexpected end of data"),
)
_PYDANTIC = "Value error, "  # before every sentence of a check of our own
_FULL_STOPS = ".。"


def native(said: str) -> str:
    """What another program said, as the reader says it; itself where it is none of the sentences above."""
    said = said.replace(_PYDANTIC, "")
    if _(_SYSTEM[0]) == _SYSTEM[0]:  # English
        return said
    for form, template in _FORMS:
        if found := form.fullmatch(said):
            places = {name: native(value.rstrip(_FULL_STOPS)) for name, value in found.groupdict().items()}
            return _(template).format(**places)
    return said


def why(error: BaseException) -> str:
    """Why something failed, without the number and the file's name, which whoever tells it names."""
    return native(error.strerror if isinstance(error, OSError) and error.strerror else str(error))


def told(error: object) -> str:
    """An error that nobody has words of his own for."""
    return why(error) if isinstance(error, BaseException) else str(error)


def _form(template: str) -> re.Pattern[str]:
    """What a sentence of this template looks like."""
    parts = Formatter().parse(template)
    return re.compile("".join(re.escape(text) + (f"(?P<{name}>.+?)" if name else "") for text, name, _f, _c in parts),
                      re.DOTALL)  # fmt: skip


_FORMS = [(_form(template), template) for template in (*_TYPER, *_SYSTEM, *_PARSERS)]
