"""What a site says of codes: which first digits, makers' codes, personal numbers and links its terminals know."""

import re
from dataclasses import dataclass

from host_bridge.texts import text

# Patterns of a kind: a terminal holds a symbol against each, and looks at no byte of it more than forty times.
PATTERNS_MOST = {"own_codes": 6, "personal_codes": 3, "link_codes": 3}
_LENGTH_MOST = 100  # characters
_ITEM = re.compile(r"\{([danx])([0-9]{1,3})(?:-([0-9]{1,3}))?(?:,([0-9]{1,3}))?\}")
_PLAIN = re.compile(r"[!-z|~]*\Z")
_HOST = re.compile(r"(?:\*|(?:\*\.)?[a-z0-9.-]+(?::[0-9]+)?)\Z")
_SEGMENT = re.compile(r"[^/?&=#{}\s]*\Z")
_CODE = "{code}"
TWENTY_ANYWHERE = "*"


@dataclass(frozen=True, slots=True)
class CodeRules:
    """As bridge.toml has them; docs/codes.md tells the patterns."""

    first_digit: str = "8"  # digits that a twenty-digit code may begin with; empty: any
    own: tuple[str, ...] | None = None  # makers' own codes; None: the terminals' default
    personal: tuple[str, ...] = ()  # what is a person's, beside what every terminal knows
    links: tuple[str, ...] = (TWENTY_ANYWHERE,)

    def device(self) -> dict[str, object]:
        """As a terminal's settings have them below "rules"; what is the default is left out."""
        rules: dict[str, object] = {}
        if self.first_digit != DEFAULT.first_digit:
            rules["first_digit"] = self.first_digit
        if self.own is not None:
            rules["own"] = list(self.own)
        if self.personal:
            rules["personal"] = list(self.personal)
        if self.links != (TWENTY_ANYWHERE,):
            rules["links"] = list(self.links)
        return rules


DEFAULT = CodeRules()


def wrong_pattern(pattern: str) -> str | None:
    """What is wrong with a pattern of makers' or personal codes; None where nothing is."""
    if not pattern or len(pattern) > _LENGTH_MOST:
        return text("has 1 to {most} characters", most=_LENGTH_MOST)
    for _, least, most, digits in _ITEM.findall(pattern):
        if int(least) > int(most or least) or int(digits or 0) > int(most or least):
            return text("counts from less to more, and no more digits than characters")
    return (
        None
        if _PLAIN.match(_ITEM.sub("", pattern))
        else text("is made of signs and of items such as {{d6}}, {{x8-100,6}}")
    )


def wrong_link(pattern: str) -> str | None:
    """What is wrong with a pattern of links; None where nothing is."""
    if pattern == TWENTY_ANYWHERE:
        return None
    if not pattern or len(pattern) > _LENGTH_MOST:
        return text("has 1 to {most} characters", most=_LENGTH_MOST)
    path, asked, query = pattern.partition("?")
    host, *segments = path.split("/")
    if not _HOST.match(host):
        return text("begins with a host in small letters, *.host or *, without http://")
    name, _, behind = query.partition("=")
    if pattern.count(_CODE) != 1 or (asked and (behind != _CODE or not name or not _SEGMENT.match(name))):
        return text("has {{code}} once: as a whole segment of the path, or as ?name={{code}} at its end")
    if not asked and _CODE not in segments:
        return text("has {{code}} as a whole segment of the path")
    return None if all(one == _CODE or _SEGMENT.match(one) for one in segments) else text("has a segment that is none")
