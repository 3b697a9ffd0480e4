"""Every sentence of `scanlatch calibrate`: settings by their names, and what is wrong with what to do."""

from scanlatch_tools.texts import N_

SETTINGS = {
    "trigger": N_("trigger mode (reads when told)"),
    "suffix": N_("end behind a symbol (CR)"),
    "aim": N_("AIM identifier in front of a symbol"),
    "beep": N_("its own beep at a read (off)"),
    "time": N_("time of one reading"),
    "interface": N_("output (serial)"),
    "codes": N_("set-up codes (off)"),
    "same": N_("time until the same code again"),
    "symbologies": N_("kinds of barcode, and at any angle"),
    "code128": N_("Code 128"),
    "gs1_128": N_("GS1-128"),
    "datamatrix": N_("Data Matrix"),
    "qr": N_("QR"),
    "ean": N_("EAN-13, EAN-8, UPC-A"),
    "noread": N_("message where nothing was read (off)"),
    "handshake": N_("acknowledgement of packets"),
    "packets": N_("symbols in packets"),
    "format": N_("data as they are, without prefix and suffix"),
    "code_id": N_("letter of the symbology in front (off)"),
}
# What is seen in a frame, and what to do: the driver's set-up has done what it can by then.
WRONG = {
    "gs": (
        N_("the separator (GS, 0x1D) is missing: boxes with GS1 codes are refused as torn"),
        N_('Scan its manual\'s set-up code "FNC1 / GS1 separator: send as GS (0x1D)"'),
    ),
    "gs_text": (
        N_("something else than GS (0x1D) stands for the separator"),
        N_('Scan its manual\'s set-up code "function code: send as 0x1D", no replacement by text'),
    ),
    "case": (
        N_("letters come in the other case: serial numbers would be other ones"),
        N_('Scan its manual\'s set-up code "letter case: as it is" (no conversion); it may be in keyboard mode'),
    ),
    "prefix": (
        N_("something stands in front of the data: every code is refused as unknown"),
        N_('Scan its manual\'s set-up code "prefix off" or "clear all prefixes"'),
    ),
    "code_id": (
        N_("a letter of the symbology stands in front of the data"),
        N_('Scan its manual\'s set-up code "code ID off"; the AIM identifier may stay on'),
    ),
    "suffix": (
        N_("something stands between the data and the line's end"),
        N_('Scan its manual\'s set-up code "suffix: CR only"'),
    ),
    "aim_off": (
        N_("the AIM identifier is missing: GS1 codes are told by their text alone"),
        N_('Scan its manual\'s set-up code "AIM ID on"'),
    ),
    "aim_plain": (
        N_("a GS1 symbol comes with the identifier of a plain one"),
        N_('Scan its manual\'s set-up code "GS1 on" for this kind of barcode'),
    ),
    "aim_other": (
        N_("the AIM identifier is of another kind of barcode"),
        N_('Look at its manual: identifiers may be "user defined"; scan "AIM ID"'),
    ),
    "cut": (
        N_("bytes were lost on the line"),
        N_("Its cable (short, ground beside it), its supply, and its speed; then scan it again"),
    ),
}
SILENT = (
    N_("no scan engine answers ({why})"),
    N_(
        "Its plug, its power, TX and RX. Else it may be set to USB or keyboard: scan its manual's set-up code "
        '"serial, TTL" or "RS-232", 9600 or 115200 baud; this goes on by itself'
    ),
)
NOT_OURS = N_("that is not of the calibration sheet; it was neither kept nor shown")
GROW_GS = N_(
    "No command of this family is known for it: try its manual; else its firmware drops it, and it can't read GS1 codes"
)
