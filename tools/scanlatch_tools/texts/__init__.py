"""What a person reads, in Chinese or English by locale: `_` for a sentence, `n_` for one that counts.

English is the code's own language and each msgid is the English sentence; `zh.po` beside this file has the Chinese.
Places are filled by name behind the call, `_("{count} records").format(count=3)`: an f-string would be another msgid
each time. Logs, JSON keys and what programs read are not for `_`.
"""

import functools
import gettext
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from host_bridge import texts as of_the_bridge
from host_bridge.texts import N_, told

__all__ = ["N_", "_", "language", "n_", "speak", "told"]

_DOMAIN = "scanlatch"
_HERE = Path(__file__).parent
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set counts: POSIX, XBD 8.2


def _(message: str) -> str:
    """The reader's words for an English sentence; itself where the catalogue has none."""
    return _catalogue().gettext(message)


def n_(one: str, several: str, count: int) -> str:
    """As `_`, for a sentence that reads otherwise with `count` things than with one."""
    return _catalogue().ngettext(one, several, count)


def speak() -> None:
    """Let the bridge's errors, typer's own words and the system's be read out in the reader's language, too."""
    from scanlatch_tools.texts import foreign  # which needs `_`

    of_the_bridge.read_out_by(_, foreign.told)
    if language(os.environ) == "zh":
        gettext.bindtextdomain(_DOMAIN, str(_HERE))
        gettext.textdomain(_DOMAIN)  # typer asks gettext for its headings


def language(environment: Mapping[str, str]) -> str:
    """ "zh" or "en", as gettext decides: LANGUAGE before the locale, but not where the locale is C or none."""
    locale = next((value for name in _LOCALE if (value := environment.get(name))), "C")
    if locale.partition(".")[0] in ("C", "POSIX"):
        return "en"
    for wanted in [*environment.get("LANGUAGE", "").split(":"), locale]:
        if wanted.startswith(("zh", "en")):
            return wanted[:2]
    return "en"


@functools.cache
def _catalogue() -> gettext.NullTranslations:
    if language(os.environ) != "zh" or not _can_be_shown():
        return gettext.NullTranslations()
    return gettext.translation(_DOMAIN, str(_HERE), ["zh"], fallback=True)


def _can_be_shown() -> bool:
    """Whether the screen's encoding has Chinese characters."""
    try:
        "药品追溯码".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
