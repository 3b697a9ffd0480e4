"""Symbols at the counter, and what the terminal has to take each for."""

TRACE, PRODUCT, CREDENTIAL, TORN, UNKNOWN, PERSONAL, CONTROL, ENGINE, GLUED, CASE = range(1, 11)
RULES = {"first_digit": "8"}
ANY = {"first_digit": ""}
GTIN = "06901234567892"
CASE_GTIN = "16901234567899"
CODE = "83386520001941653320"
SSCC = "340123451234567895"
IDENTITY = "11010519491231002X"  # GB 11643's own example
CREDENTIAL_CODE = "424" + "1234567890" * 2 + "12345"
LABEL = f"01{GTIN}21ABC123\x1d1727123110B7"
TOKEN = "SL/7K3QZM/"

# what, symbology, data, rules, window, kind, family
CASES: list[tuple[str, str, str | bytes, dict[str, object], bool, int, int]] = []


def at_a_window(
    kind: int, family: int, *symbols: tuple[str, str, str | bytes], rules: dict[str, object] | None = None
) -> None:
    """Symbols that are of one kind where boxes are sold."""
    for what, symbology, data in symbols:
        CASES.append((what, symbology, data, RULES if rules is None else rules, True, kind, family))


def at_a_dock(kind: int, family: int, *symbols: tuple[str, str, str | bytes]) -> None:
    """Symbols that are of one kind where cases are received."""
    for what, symbology, data in symbols:
        CASES.append((what + ", at a dock", symbology, data, RULES, False, kind, family))


def as_bytes(data: str | bytes) -> bytes:
    """What the engine sends."""
    return data if isinstance(data, bytes) else data.encode()


at_a_window(
    TRACE,
    1,
    ("twenty digits", "", CODE),
    ("twenty digits, Code 128", "]C0", CODE),
)
at_a_window(TRACE, 1, ("twenty digits without a rule", "", CODE), rules={})
at_a_window(TRACE, 1, ("twenty digits that begin otherwise, allowed", "]C0", "7" + CODE[1:]), rules=ANY)
at_a_window(TRACE, 1, ("twenty digits, two first digits allowed", "", "7" + CODE[1:]), rules={"first_digit": "78"})
at_a_window(
    UNKNOWN,
    0,
    ("twenty digits that begin otherwise", "]C0", "7" + CODE[1:]),
    ("twenty full-width digits", "]Q1", "８" * 20),
)

at_a_window(
    TRACE,
    2,
    ("GS1 with its identifier", "]d2", LABEL),
    ("GS1-128", "]C1", LABEL),
    ("GS1 QR", "]Q3", LABEL),
    ("GS1 from an engine without identifiers", "", LABEL),
    ("GS1, serial last", "]d2", f"01{GTIN}1727123110B7\x1d21ABC123"),
    ("GS1, date first, from an engine without identifiers", "", f"1727123101{GTIN}21ABC123"),
    ("GS1 with separator in front", "", f"\x1d01{GTIN}21ABC123"),
    ("GS1 with separator at the end", "]C1", f"01{GTIN}21ABC123\x1d"),
    ("GS1 with separator after a predefined length", "", f"01{GTIN}\x1d17271231\x1d21A"),
    ("GS1 of twenty digits", "", f"01{GTIN}2112"),
    ("GS1 whose day is 00", "]d2", f"01{GTIN}1727020021A"),
    ("GS1 with a leap day", "]d2", f"01{GTIN}1728022921A"),
    ("GS1 whose digits-only serial holds a date of its own", "", f"01{GTIN}17271231211727123199"),
    ("GS1 with a national number", "]d2", f"01{GTIN}21A1\x1d71012345678"),
    ("GS1 with a batch that holds 17", "]d2", f"01{GTIN}1727123110B17271231\x1d21A"),
    ("GS1 without dates whose serial holds 10", "]d2", f"01{GTIN}21AB10CD"),
    (
        "GS1 with every date, batch, number and link",
        "]d2",
        f"01{GTIN}112501011728010070032801011200\x1d21S\x1d10B\x1d8200a",
    ),
)
at_a_window(PRODUCT, 0, ("GS1 without serial is the product", "]d2", f"01{GTIN}1727123110B7"))
at_a_window(
    TORN,
    0,
    ("GS1 without product", "]d2", "21ABC123"),
    ("GS1 date and batch, the label's other half", "", "1727123110B7123456"),
    ("GS1 with a wrong check digit", "]d2", "010690123456789321ABC123"),
    ("GS1 with a month 13", "]d2", f"01{GTIN}1727133121A"),
    ("GS1 with 29 February of a common year", "]d2", f"01{GTIN}1727022921A"),
    ("GS1 cut inside the date", "", f"01{GTIN}172712"),
    ("GS1 cut inside the product", "]d2", "01069012345"),
    ("GS1 serial over 20 signs", "]d2", f"01{GTIN}21ABCDEFGHIJKLMNOPQRSTU"),
    ("GS1 separator lost after the serial", "]d2", f"01{GTIN}21ABC12317271231"),
    ("GS1 separator lost after the serial, batch behind", "]d2", f"01{GTIN}21AB1727123110B7"),
    ("GS1 separator lost after the serial, only the batch behind", "]d2", f"01{GTIN}1727123121AB10B7"),
    ("GS1 separator lost after the batch", "]d2", f"01{GTIN}1727123110B721ABC123"),
    ("GS1 separator lost after an expiry of minutes", "]d2", f"01{GTIN}7003271231120021A"),
    ("GS1 with a sign outside the set", "]d2", f"01{GTIN}21ABC 123"),
    ("GS1 with an empty serial", "]d2", f"01{GTIN}21\x1d17271231"),
    ("GS1 with two separators", "]d2", f"01{GTIN}21A\x1d\x1d17271231"),
    ("GS1 with an unknown identifier", "]d2", f"01{GTIN}21A\x1d8899"),
    ("only a separator", "", "\x1d"),
)
at_a_window(
    UNKNOWN,
    0,
    ("GS1 in parentheses", "]d1", f"(01){GTIN}(21)ABC123"),
    ("GS1 in parentheses, GS1 identifier", "]d2", f"(01){GTIN}(21)ABC123"),
    ("GS1 in parentheses behind a separator", "]d2", f"\x1d(01){GTIN}(21)ABC123"),
)

at_a_window(
    TRACE,
    3,
    ("maker's code", "]C0", "CN12345678"),
    ("maker's code of the least length", "", "A1234567"),
    ("maker's code of 100 characters", "]d1", "AB123456" + "x" * 92),
    ("maker's code with every sign", "]Q1", "A!\"%&'()*+,-./:;<=>?_a123456"),
    ("maker's code that begins like a batch", "]C0", "10ABC123456"),
    ("twenty signs, one a letter", "]C0", CODE[:-1] + "A"),
)
at_a_window(
    UNKNOWN,
    0,
    ("text", "]Q1", "hello"),
    ("seven characters", "]C0", "A123456"),
    ("five digits", "]C0", "ABCDEF12345"),
    ("101 characters", "]Q1", "A" * 95 + "123456"),
    ("a blank in it", "]C0", "CN 12345678"),
    ("Chinese in it", "]Q1", "药12345678"),
    ("a sign outside set 82", "]C0", "CN$12345678"),
    ("veterinary, 24 digits", "]Q1", "1" * 24),
    ("digits alone, of no length that we know", "]Q1", "1" * 50),
    ("a few digits", "]C0", "1234"),
    ("longer than a record", "]Q1", "8" * 513),
)
_OWN = {"own": ["MK{d10}", "{d24}", "X-{a2-3}{n4}"]}
at_a_window(
    TRACE, 3, ("site's maker", "]C0", "MK0123456789"), ("site's maker, digits", "", "3" * 24),
    ("site's maker, short", "", "X-ABC1d2e"), rules=_OWN,
)  # fmt: skip
at_a_window(
    UNKNOWN, 0, ("no code of the site's makers", "]C0", "CN12345678"), ("one digit more", "", "MK01234567890"),
    ("takes all and gives nothing back", "", "X-ABCD12"), rules=_OWN,
)  # fmt: skip
at_a_window(UNKNOWN, 0, ("site without makers' codes", "]C0", "CN12345678"), rules={"own": []})
at_a_window(UNKNOWN, 0, ("pattern that is none", "]C0", "CN12345678"), rules={"own": ["{d", "{", "{x-}"]})

_HOST = "https://trace.example.cn"
at_a_window(
    TRACE,
    4,
    ("link with twenty digits on its path", "]Q1", f"{_HOST}/q/{CODE}"),
    ("link with twenty digits in its query", "", f"http://trace.example.cn/?a=1&code={CODE}&b=2"),
    ("link with twenty digits behind a hash", "]Q1", f"{_HOST}/#/trace?c={CODE}"),
    ("link in capitals", "]Q1", f"HTTPS://TRACE.EXAMPLE.CN/{CODE}"),
    ("link with the same twenty digits twice", "]Q1", f"{_HOST}/{CODE}?c={CODE}"),
    ("link with Chinese in it", "]Q1", f"{_HOST}/{CODE}?name=药"),
    ("Digital Link", "]Q1", f"https://id.example/01/{GTIN}/21/ABC123"),
    ("Digital Link with all keys", "]Q1", f"https://id.example/some/path/01/{GTIN}/22/V/10/B7/21/A%2F1?17=271231"),
    ("Digital Link, short GTIN", "]Q1", "https://id.example/01/6901234567892/21/ABC123"),
    ("Digital Link whose serial looks like a card", "]Q1", f"https://id.example/01/{GTIN}/21/A12345678"),
    ("Digital Link with a slash at the end", "]Q1", f"https://id.example/01/{GTIN}/21/ABC123/"),
)
at_a_window(
    UNKNOWN,
    0,
    ("link without a code", "]Q1", f"{_HOST}/about"),
    ("link with two codes", "]Q1", f"{_HOST}/{CODE}?c={CODE[:-1]}1"),
    ("link with digits that begin otherwise", "]Q1", f"{_HOST}/7{CODE[1:]}"),
    ("link with 21 digits", "]Q1", f"{_HOST}/{CODE}1"),
    ("link with a maker's code, not asked for", "]Q1", f"{_HOST}/q/CN12345678"),
    ("Digital Link with keys in another order", "]Q1", f"https://id.example/01/{GTIN}/21/A/10/B7"),
    ("Digital Link with a wrong check digit", "]Q1", "https://id.example/01/06901234567893/21/A"),
    ("Digital Link with a broken escape", "]Q1", f"https://id.example/01/{GTIN}/21/A%2"),
    ("Digital Link with a sign outside the set", "]Q1", f"https://id.example/01/{GTIN}/21/A%20B"),
    ("Digital Link with a serial over 20 signs", "]Q1", f"https://id.example/01/{GTIN}/21/{'A' * 21}"),
    ("link with a blank", "]Q1", f"{_HOST}/q {CODE}"),
    ("link of another kind", "]Q1", f"wxp://f2f{CODE}"),
)
at_a_window(PRODUCT, 0, ("Digital Link without serial", "]Q1", f"https://id.example/01/{GTIN}/10/B7"))
_LINKS = {"links": ["trace.example.cn/q/{code}", "*.maker.cn/p?c={code}", "maker.cn/*/{code}"]}
at_a_window(
    TRACE, 4, ("site's link, path", "]Q1", f"{_HOST}/q/CN12345678?x=1"),
    ("site's link, query", "]Q1", "https://www.maker.cn/p?a=1&c=CN%2D12345678"),
    ("site's link, any segment", "]Q1", "https://MAKER.cn/anything/CN12345678"),
    ("site's link with twenty digits", "]Q1", f"{_HOST}/q/{CODE}"),
    ("site's link with an element string", "]Q1", f"https://www.maker.cn/p?c=01{GTIN}21ABC%1D1727123110B7"),
    rules=_LINKS,
)  # fmt: skip
at_a_window(
    UNKNOWN, 0, ("link of no site's pattern", "]Q1", f"{_HOST}/r/CN12345678"),
    ("site's link, one segment more", "]Q1", f"{_HOST}/q/CN12345678/x"),
    ("site's link, other host", "]Q1", "https://xmaker.cn/p?c=CN12345678"),
    ("site's link, name given twice", "]Q1", "https://www.maker.cn/p?c=CN12345678&c=CN12345679"),
    ("site's link with what is no code", "]Q1", f"{_HOST}/q/hello"),
    ("link with twenty digits, not asked for", "]Q1", f"https://else.example/{CODE}"), rules=_LINKS,
)  # fmt: skip

at_a_window(
    PRODUCT,
    0,
    ("EAN-13", "]E0", "6901234567892"),
    ("EAN-13 without identifier", "", "6901234567892"),
    ("EAN-13 that begins with 8", "]E0", "8712345678906"),
    ("EAN-13 with an add-on", "]E3", "690123456789212"),
    ("an add-on alone", "]E2", "12345"),
    ("product barcode in Code 128", "]C0", "6901234567892"),
    ("EAN-8", "]E4", "95012346"),
    ("UPC-A", "", "036000291452"),
    ("UPC-E", "]E0", "04252614"),
    ("UPC-E without identifier", "", "01234565"),
    ("ITF-14", "]I1", "04150999999994"),
    ("standard drug code", "]C0", "86900001000019"),
)
at_a_window(
    CASE,
    0,
    ("ITF-14 of a case", "]I1", CASE_GTIN),
    ("case's label with serial", "]C1", f"01{CASE_GTIN}21ABC123"),
    ("case's label without serial", "]C1", f"01{CASE_GTIN}10B7"),
    ("shipping label", "]C1", f"00{SSCC}"),
    ("shipping label from an engine without identifiers", "", f"00{SSCC}"),
    ("shipping label with contents", "]C1", f"00{SSCC}02{GTIN}3712"),
    ("Digital Link of a case", "]Q1", f"https://id.example/01/{CASE_GTIN}/21/A"),
    ("Digital Link of a shipping unit", "]Q1", f"https://id.example/00/{SSCC}"),
)
at_a_dock(
    TRACE,
    2,
    ("case's label with serial", "]C1", f"01{CASE_GTIN}21ABC123"),
    ("shipping label", "]C1", f"00{SSCC}"),
    ("shipping label with contents", "]C1", f"00{SSCC}02{GTIN}3712"),
    ("shipping label whose batch holds 21", "]C1", f"00{SSCC}02{GTIN}3712\x1d10B20210"),
)
at_a_dock(TRACE, 4, ("Digital Link of a shipping unit", "]Q1", f"https://id.example/00/{SSCC}"))
at_a_dock(PRODUCT, 0, ("ITF-14 of a case names no case", "]I1", CASE_GTIN))
at_a_dock(TRACE, 1, ("twenty digits, a case's or a box's", "]C0", CODE))
