# What light and tone say, as data; the comment of a row is its meaning, and docs are generated from both.

# A pattern is a row of steps: a colour (capital, "." for dark), how long (in 10 ms), and a tone (small letter) or none.
# b"G12hG60" is green for 720 ms, with a high tone during the first 120.
# Every row differs from every other in colour and in rhythm and in tone, so that each of them alone is enough. The
# first step tells it too, by colour and tone together; query, void and session begin alike, each family by itself.

COLOURS = {
    ord("."): (0, 0, 0),  # dark
    ord("R"): (255, 0, 0),  # red
    ord("A"): (255, 100, 0),  # amber
    ord("Y"): (255, 210, 0),  # yellow
    ord("G"): (0, 255, 0),  # green
    ord("C"): (0, 200, 160),  # cyan
    ord("S"): (70, 150, 255),  # sky blue
    ord("B"): (0, 0, 255),  # blue
    ord("V"): (130, 0, 255),  # violet
    ord("M"): (255, 0, 120),  # magenta
    ord("W"): (255, 255, 255),  # white
    ord("D"): (20, 20, 20),  # dim white
    ord("E"): (0, 24, 0),  # dim green
}

TONES = {
    ord("a"): 440,
    ord("b"): 660,
    ord("c"): 880,
    ord("d"): 1320,
    ord("e"): 1760,
    ord("f"): 2200,
    ord("g"): 2640,
    ord("h"): 3300,
}

# Shown once, then the highest standing condition is back.
EVENTS = {
    "read": b"W6g",  # read: the symbol is in
    "kept": b"S10e",  # kept: from here nothing loses it
    "bounce": b"D5",  # the same box still lies under the beam: not a second scan
    "accepted": b"G12hG60",  # sold: hand the box over
    "rejected": b"R50a.15R50a.15R120",  # do not hand it over: sold elsewhere, recalled, expired, refused
    "duplicate": b"A15c.8A15c.8A15c.8A90",  # this terminal's site sold this box before
    "exempt": b"C12d.6C12d.6C50",  # needs no settlement: hand the box over
    "error": b"M20b.8M20a.8M20b.8M60",  # no decision could be made: see the console
    "wrong_symbol": b"Y10c.6Y10b.6Y60",  # the product barcode, not the trace code: scan the other one
    "torn": b"W9e.5Y9e.5W9e.5Y9e",  # part of a code: scan it again
    "unknown_symbol": b"V10b.7V10a.7V60",  # no code of a medicine
    "credential": b"V11g.5W11c.5V50",  # a person's credential: not kept, not logged
    "full": b"R15c.5M15a.5R15c.5M15a.5R60",  # no room for another record: nothing was kept, wait for the link
    "fault_refused": b"R10b.5A10b.5R10b.5A10b.60",  # nothing was kept, the terminal is in fault
    "identify": b"R20dG20cB20eW20f" * 4,  # this is the terminal that somebody looks for
    "query_accepted": b"B10e.5G13hG50",  # query: known and unsold
    "query_duplicate": b"B10e.5A15c.8A50",  # query: sold here
    "query_rejected": b"B10e.5R30a.10R30a.10R60",  # query: sold elsewhere, several times, or unknown
    "query_pending": b"B10e.5S30d.20S30",  # query: no answer yet
    "query_exempt": b"B10e.5C12f.6C40",  # query: needs no settlement
    "query_error": b"B10e.5M20b.8M20a.40",  # query: no decision could be made
    "void_accepted": b"V14c.6G12hG50",  # void: taken back
    "void_duplicate": b"V14c.6A15e.8A50",  # void: was void before
    "void_rejected": b"V14c.6R30a.10R30a.10R60",  # void: nothing to take back
    "void_pending": b"V14c.6B30d.20B30",  # void: the platform has not answered yet
    "void_exempt": b"V14c.6C12f.6C40",  # void: needs no settlement
    "void_error": b"V14c.6M20b.8M20a.40",  # void: no decision could be made
    "session_accepted": b"C18f.7G12hG50",  # session: closed
    "session_duplicate": b"C18f.7A15c.8A50",  # session: was closed before
    "session_rejected": b"C18f.7R30a.10R30a.10R60",  # session: missing or closed
    "session_pending": b"C18f.7B30d.20B30",  # session: no answer yet
    "session_exempt": b"C18f.7S12g.6S40",  # session: nothing to settle
    "session_error": b"C18f.7M20b.8M20a.40",  # session: no decision could be made
}

# Standing conditions, the highest first: name, what is shown once where it begins, what is shown over and over after.
STANDING = (
    ("fault", b"R60eV20bR60e", b"R20.20"),  # broken: refuses to scan, call the technician
    ("engine", b"M18aB12dM18a", b"M30B30"),  # the scan engine does not answer: its cable, its power
    ("attention", b"A12d.6W12f.6A12d.6", b"A15.15A15.105"),  # an earlier scan needs attention: see the console
    ("pending", b"B30d.10B60", b"B60.60"),  # kept, not yet decided: the answer follows by itself
    ("link_refused", b"M12dA12bM12aA12", b"M10.10A10.120"),  # the broker refuses us: certificate, name or rights
    ("offline", b"S15cD15aS15", b"S8.12S8.172"),  # no link: scans are kept, and sent later
    ("idle_sale", b"G9bE9g", b"E170.10G6.14"),  # ready: sale
    ("idle_return", b"A9gE10f", b"E160.10A10.20"),  # ready: return
    ("idle_receive", b"C8hE9f", b"E150.10C10.30"),  # ready: receive
    ("idle_stock-take", b"V8hE10gV8", b"E140.10V10.40"),  # ready: stock-take
    ("idle_query", b"B8hE8hB8", b"E130.10B10.50"),  # ready: query
    ("idle_dispatch", b"Y8gE8hY9", b"E120.10Y10.60"),  # ready: dispatch
    ("idle", b"E7gE7d", b"E250"),  # ready
)
