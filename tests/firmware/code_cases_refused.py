"""Symbols that are no goods: a person's, a control sheet's, an engine's, torn and glued; added to the others."""

from tests.firmware.code_cases import (
    ANY,
    CASES,
    CODE,
    CONTROL,
    CREDENTIAL,
    CREDENTIAL_CODE,
    ENGINE,
    GLUED,
    GTIN,
    IDENTITY,
    PERSONAL,
    TOKEN,
    TORN,
    TRACE,
    UNKNOWN,
    at_a_window,
)

__all__ = ["CASES"]
_HOST = "https://trace.example.cn"

at_a_window(
    CREDENTIAL,
    0,
    ("e-credential", "]Q1", CREDENTIAL_CODE),
    ("open platform's code", "]Q1", "opc" + CREDENTIAL_CODE[3:]),
)
at_a_window(CREDENTIAL, 0, ("e-credential, any first digit", "", CREDENTIAL_CODE), rules=ANY)
at_a_window(CREDENTIAL, 0, ("e-credential before a site's pattern", "", CREDENTIAL_CODE), rules={"own": ["{d28}"]})
at_a_window(
    PERSONAL,
    0,
    ("identity number", "]Q1", IDENTITY),
    ("identity number, small x", "", IDENTITY.lower()),
    ("identity number of digits", "]C0", "110101199003074530"),
    ("identity number in a text", "]Q1", f"name:Li,id:{IDENTITY}"),
    ("identity number behind letters", "]Q1", f"ID{IDENTITY}"),
    ("identity number in Chinese text", "]Q1", f"身份证 {IDENTITY}"),
    ("social-security card", "]C0", "A12345678"),
    ("open platform's code cut short", "]Q1", "opc1234567890"),
    ("e-credential in a text", "]Q1", f"c:{CREDENTIAL_CODE}"),
    ("telephone", "]Q1", "tel:13912345678"),
    ("network's password", "]Q1", "WIFI:T:WPA;S:ward;P:12345678;;"),
    ("identity number in a link", "]Q1", f"{_HOST}/{CODE}?id={IDENTITY}"),
    ("e-credential in a link", "]Q1", f"{_HOST}/{CREDENTIAL_CODE}"),
    ("card's number in a link", "]Q1", f"{_HOST}/{CODE}?card=A12345678"),
    ("identity number beside a Digital Link", "]Q1", f"https://id.example/01/{GTIN}/21/A?x={IDENTITY}"),
    ("identity number before a Digital Link", "]Q1", f"https://id.example/{IDENTITY}/01/{GTIN}/21/A"),
    ("identity number in a Digital Link's fragment", "]Q1", f"https://id.example/01/{GTIN}/21/A#{IDENTITY}"),
    ("e-credential before a shipping unit's link", "]Q1", f"https://a.cn/{CREDENTIAL_CODE}/00/690123450000000006"),
    ("a trace code ran into an open platform's code", "", f"{CODE}opc{CREDENTIAL_CODE[3:]}"),
    ("a maker's code ran into an e-credential", "", f"AB12345678{CREDENTIAL_CODE}"),
    ("an e-credential ran into a maker's code", "", f"{CREDENTIAL_CODE}12345678AB"),
    ("open platform's code in capitals", "", f"OPC{CREDENTIAL_CODE[3:]}"),
    ("a trace code ran into an identity number", "", f"{CODE}{IDENTITY}"),
    ("a maker's code ran into an identity number", "", f"AB123456{IDENTITY.lower()}"),
    ("an identity number ran into a maker's code", "", f"{IDENTITY}AB123456"),
    ("patient's wristband", "]d2", "8018690123450000000006"),
    ("patient's wristband as a link", "]Q1", "https://id.example/8018/690123450000000006"),
    ("wristband with a name", "]d2", "8018690123450000000006"[:22] + "\x1d7256LI+MING"),
)
at_a_window(
    PERSONAL, 0, ("what a site calls personal", "]C0", "P-12345678"), ("telephone in a text", "]Q1", "x:13912345678y"),
    ("telephone in a link", "]Q1", f"{_HOST}/{CODE}?p=13912345678"),
    rules={"personal": ["P-{d8}", "1{d10}", "1{d10}y"]},
)  # fmt: skip
at_a_window(
    PERSONAL, 0, ("two codes, where digits are a maker's", "", CODE + CREDENTIAL_CODE), rules={"own": ["{d48}"]}
)
at_a_window(PERSONAL, 0, ("personal pattern that is none refuses all", "]C0", "CN12345678"), rules={"personal": ["{q"]})
at_a_window(
    UNKNOWN,
    0,
    ("e-credential cut short", "]Q1", CREDENTIAL_CODE[:23]),
)

at_a_window(
    CONTROL,
    5,
    *((f"control code {word}", "]C0", TOKEN + word) for word in ["SALE", "RETURN", "RECEIVE", "STOCK-TAKE", "QUERY"]),
    *((f"control code {word}", "]d1", TOKEN + word) for word in ["DISPATCH", "END", "CANCEL", "REPEAT", "SEEN"]),
    ("operator's badge", "]C0", TOKEN + "BADGE/li-Ming7"),
    ("operator's badge, longest", "", TOKEN + "BADGE/" + "A" * 32),
    ("operator's badge, a number of his", "", TOKEN + "BADGE/li-1234567890123456"),
)
at_a_window(
    UNKNOWN,
    0,
    ("control code without a word", "]C0", TOKEN),
    ("control code cut short", "]C0", TOKEN + "SAL"),
    ("control code with an unknown word", "]C0", TOKEN + "SALES"),
    ("control code with two words", "]C0", TOKEN + "SALE RETURN"),
    ("control code with a letter that tokens lack", "]C0", "SL/7K3QZI/SALE"),
    ("control code in small letters", "]C0", TOKEN + "sale"),
    ("badge without a name", "]C0", TOKEN + "BADGE/"),
    ("badge too long", "]C0", TOKEN + "BADGE/" + "A" * 33),
    ("badge that ran into an e-credential", "]C0", TOKEN + "BADGE/li" + CREDENTIAL_CODE),
    ("badge that ran into an identity number", "]C0", TOKEN + "BADGE/li" + IDENTITY),
    ("badge that ran into a trace code", "]C0", TOKEN + "BADGE/li" + CODE),
    ("badge with a sign that names lack", "]C0", TOKEN + "BADGE/li_12345678"),
    ("digits behind SL/", "]C0", "SL/12345678"),
)

at_a_window(
    ENGINE,
    0,
    ("Newland set-up", "]C0", "@128ENA1"),
    ("Newland set-up, volatile", "]C0", "#SCNMOD0"),
    ("Newland set-up, older", "]C0", "NLS0302010"),
    ("Newland set-up, older, with its end", "]C0", "NLS0302010;"),
    ("Honeywell menu", "]C0", "PAPHHF."),
    ("Honeywell menu with six digits", "]C0", "PREBK2995C81."),
    ("Honeywell menu that begins with digits", "]C0", "232BAD9."),
    ("Mindeo menu", "]C0", "8002H0D0A"),
    ("Mindeo menu with its end", "]C0", "0401D05."),
    ("M3Y-W set-up", "]Q1", "S_CMD_020D"),
    ("M3Y-W command", "]Q1", "SR030301"),
    ("DE2120 command", "]Q1", "^_^SCMMAN."),
    ("reply of a GROW engine", "", b"\x02\x00\x00\x01\x0031"),
    ("command of a GROW engine", "", b"\x7e\x00\x08\x01\x00\xd9\x50\x81\xd3"),
    ("reply of a Newland engine", "", b"\x02\x010000@SCNMOD0\x06;\x03"),
    ("reply of a Honeywell engine", "", b"\x16\xfe\x2a\x00"),
)

at_a_window(
    TORN,
    0,
    ("over the frame limit", "", ""),
    ("EAN-13 with a wrong check digit", "", "6901234567893"),
    ("first fourteen of a code", "]C0", CODE[:14]),
    ("last thirteen of a code", "]C0", CODE[7:]),
    ("one digit short", "", CODE[:-1]),
    ("one digit more", "", CODE + "1"),
    ("a code and a half", "", CODE + CODE[:10]),
)
at_a_window(
    GLUED,
    0,
    ("two codes", "", CODE + CODE),
    ("three codes", "", CODE * 3),
    ("code and product", "", CODE + "6901234567892"),
    ("product and code", "", "6901234567892" + CODE),
    ("two products", "", "6901234567892" * 2),
    ("code and element string", "]C0", CODE + f"01{GTIN}21ABC123"),
    ("two element strings", "]d2", f"01{GTIN}21ABC12301{GTIN}21ABC124"),
    ("two element strings with a separator", "]d2", f"01{GTIN}21ABC123\x1d01{GTIN}21ABC124"),
    ("two element strings of one sign", "", f"01{GTIN}21A01{GTIN}21"),
    ("code and maker's code", "", CODE + "AB123456"),
    ("maker's code and code", "", "CN-12345A" + CODE),
    ("code and control code", "", CODE + TOKEN + "SALE"),
    ("two codes, and what an engine puts between them", "", f"{CODE},{CODE}"),
    ("two links", "]Q1", f"{_HOST}/{CODE}{_HOST}/{CODE}"),
)
at_a_window(
    TRACE, 3, ("maker's code that begins as a trace code does, which the site knows", "", CODE + "AB"),
    rules={"own": ["{d20}AB"]},
)  # fmt: skip
at_a_window(
    TRACE, 3, ("maker's code with more than twenty digits", "", f"CN{CODE}1"),
    ("maker's code whose end has an identity number's check, but no day of birth", "", "199010599999999009X"),
)  # fmt: skip
