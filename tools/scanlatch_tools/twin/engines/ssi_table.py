"""Opcodes, parameters and types of Zebra's Simple Serial Interface, as far as our engines have them."""

ACK, NAK, FLUSH, CAPABILITIES, CAPABILITIES_REPLY = 0xD0, 0xD1, 0xD2, 0xD3, 0xD4
BEEP = 0xE6
START, STOP, ENABLE, DISABLE, SLEEP = 0xE4, 0xE5, 0xE9, 0xEA, 0xEB
SEND, REQUEST, DEFAULTS, REVISION, REVISION_REPLY, DECODED = 0xC6, 0xC7, 0xC8, 0xA3, 0xA4, 0xF3
# opcode -> bytes of data: light, aim, beep, LED
PLAIN = {0xC0: 0, 0xC1: 0, 0xC4: 0, 0xC5: 0, BEEP: 1, 0xE7: 1, 0xE8: 1}
KNOWN = bytes(sorted([*PLAIN, ACK, NAK, START, STOP, ENABLE, DISABLE, SLEEP, SEND, REQUEST, REVISION]))

TRIGGER, TIMEOUT, HANDSHAKE, PACKETED, RESPONSE_TIME, FORMAT = 0x8A, 0x88, 0x9F, 0xEE, 0x9B, 0xEB
CODE_ID, BAUD, MULTI, MULTI_DELAY = 0x2D, 0x9C, 334, 335
PRESENTATION, HOST_MODE = 7, 8

BAUDS = {3: 1200, 4: 2400, 5: 4800, 6: 9600, 7: 19200, 8: 38400, 10: 57600, 11: 115200}
# our name of a symbology -> (parameter that enables it, type in DECODE_DATA, Symbol's own code identifier)
SYMBOLOGIES = {
    "code39": (0, 0x01, b"B"), "ean13": (3, 0x0B, b"A"), "ean8": (4, 0x0A, b"A"), "itf": (6, 0x06, b"F"),
    "code128": (8, 0x03, b"D"), "gs1_128": (14, 0x0F, b"K"), "pdf417": (15, 0x11, b"X"),
    "datamatrix": (292, 0x1B, b"P"), "gs1_datamatrix": (292, 0x1B, b"P"), "qr": (293, 0x1C, b"P"),
    "gs1_qr": (293, 0x1C, b"P"), "databar": (338, 0x30, b"R"), "aztec": (574, 0x2D, b"z"),
}  # fmt: skip
# number -> (as delivered, what it may hold)
PARAMETERS: dict[int, tuple[int, range | tuple[int, ...]]] = {
    TRIGGER: (0, (0, 7, 8, 9)),
    TIMEOUT: (99, range(5, 100)),
    HANDSHAKE: (1, (0, 1)),
    PACKETED: (0, (0, 1)),
    RESPONSE_TIME: (20, range(100)),
    FORMAT: (0, range(8)),
    CODE_ID: (0, (0, 1, 2)),
    BAUD: (6, tuple(BAUDS)),
    MULTI: (1, (1, 2, 3)),
    MULTI_DELAY: (0, range(100)),
    0x01: (1, (0, 1)),  # UPC-A
    0x38: (1, (0, 1)),  # beep after a good read
    0x8C: (1, range(3)),  # its loudness
    0xEC: (1, (0, 1)),  # reads setup codes
    0xEF: (20, range(1, 100)),
    318: (0x04FF, range(0x10000)),
    **{number: (int(number not in (14, 292, 293)), (0, 1)) for number, _, _ in SYMBOLOGIES.values()},
}
