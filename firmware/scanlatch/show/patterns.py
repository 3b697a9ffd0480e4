# What light and tone say, as data; the comment of a row is its meaning, and docs are generated from both.

# A pattern is a row of steps: a colour (capital, "." for dark), how long (in 10 ms), and a tone (small letter) or none.
# "G12hG60" is green for 720 ms, with a high tone during the first 120.
# Every row differs from every other in colour and in rhythm and in tone, so that each of them alone is enough. The
# first step tells it too, by colour and tone together; query, void and session begin alike, each family by itself.
# What follows "read" or "kept" at once begins with another tone than theirs: else the two would sound as one.
# The tables are one string each, since every object beside it would cost the heap more than what it says.

COLOURS = (  # a letter, then red, green and blue
    b".\x00\x00\x00"  # dark
    b"R\xff\x00\x00"  # red
    b"A\xff\x64\x00"  # amber
    b"Y\xff\xd2\x00"  # yellow
    b"G\x00\xff\x00"  # green
    b"C\x00\xc8\xa0"  # cyan
    b"S\x46\x96\xff"  # sky blue
    b"B\x00\x00\xff"  # blue
    b"V\x82\x00\xff"  # violet
    b"M\xff\x00\x78"  # magenta
    b"W\xff\xff\xff"  # white
    b"D\x14\x14\x14"  # dim white
    b"E\x00\x18\x00"  # dim green
)

TONES = (440, 660, 880, 1320, 1760, 2200, 2640, 3300)  # Hz of "a" to "h"

# Shown once, then the highest standing condition is back: name, blank, pattern. What has no row shows as the first.
EVENTS = (
    b"\nerror M20b.8M20a.8M20b.8M60"  # no decision could be made: see the console
    b"\nread W6g"  # read: the symbol is in
    b"\nkept S10e"  # kept: from here nothing loses it
    b"\nbounce D5"  # the same box still lies under the beam: not a second scan
    b"\naccepted G12hG60"  # sold: hand the box over
    b"\nrejected R50a.15R50a.15R120"  # do not hand it over: sold elsewhere, recalled, expired, refused
    b"\nduplicate A15c.8A15c.8A15c.8A90"  # this terminal's site sold this box before
    b"\nexempt C12d.6C12d.6C50"  # needs no settlement: hand the box over
    b"\nbusy M9c.4C9b.4M9c.4C30"  # scanned faster than the flash can be prepared: not kept, pause a second, scan again
    b"\n"
)

# More of them, rarer ones: read from the file where one is to be shown, since heap is scarce.
RARE = (
    b"\nwrong_symbol Y10c.6Y10b.6Y60"  # the product barcode, not the trace code: scan the other one
    b"\ntorn W9e.5Y9e.5W9e.5Y9e"  # part of a code: scan it again
    b"\nunknown_symbol V10b.7V10a.7V60"  # no code of a medicine
    b"\npersonal V13a.5R13a.5M13c.5R40"  # an identity or social-security card: not kept, not logged
    b"\nengine_code Y10d.5B10b.5Y10d.5B40"  # a code that sets up a scan engine: nothing was changed
    b"\nglued W10d.5A10e.5W10d.5A50"  # two codes in one: hold a single box under the beam
    b"\ncase_code Y18b.8A18b.8Y50"  # a whole case: at a window only single boxes are taken
    b"\nforeign_control A16b.7V16e.7A50"  # a control code, but not of this site's sheet: nothing happened
    b"\ndone C10e.5W10h.5C30"  # attention seen: its light is off
    b"\nbadge B12e.5W12f.5B40"  # an operator's badge: named in the records from here on
    b"\nnothing Y22a.8D40b"  # there is nothing to cancel, to end, to repeat or to be seen
    b"\ncredential V11d.5W11c.5V50"  # a person's credential is on its way: not kept, not logged
    b"\ncredential_offline V14e.6S14c.6V14e.6S40"  # a person's credential needs the link: not sent, not kept
    b"\nfull R15c.5M15a.5R15c.5M15a.5R60"  # no room for another record: nothing was kept, wait for the link
    b"\nlocked R18f.6S18b.6R18f.6S60"  # no sale: the site allows none so long without the bridge; nothing was kept
    b"\nfault_refused R10b.5A10b.5R10b.5A10b.60"  # nothing was kept, the terminal is in fault
    b"\nidentify R20dG20cB20eW20fR20dG20cB20eW20f"
    b"R20dG20cB20eW20fR20dG20cB20eW20f"  # this is the terminal that somebody looks for
    b"\nquery_accepted B10b.5G13hG50"  # query: known and unsold
    b"\nquery_duplicate B10b.5A15c.8A50"  # query: sold here
    b"\nquery_rejected B10b.5R30a.10R30a.10R60"  # query: sold elsewhere, several times, or unknown
    b"\nquery_pending B10b.5S30d.20S30"  # query: no answer yet
    b"\nquery_exempt B10b.5C12f.6C40"  # query: needs no settlement
    b"\nquery_error B10b.5M20b.8M20a.40"  # query: no decision could be made
    b"\nvoid_accepted V14c.6G12hG50"  # void: taken back
    b"\nvoid_duplicate V14c.6A15e.8A50"  # void: was void before
    b"\nvoid_rejected V14c.6R30a.10R30a.10R60"  # void: nothing to take back
    b"\nvoid_pending V14c.6B30d.20B30"  # void: the platform has not answered yet
    b"\nvoid_exempt V14c.6C12f.6C40"  # void: needs no settlement
    b"\nvoid_error V14c.6M20b.8M20a.40"  # void: no decision could be made
    b"\nsession_open C18f.7W14e.6G50"  # session: opened for the credential, scan the boxes
    b"\nsession_refused C18f.7V30a.10A60"  # session: the credential was refused
    b"\nsession_accepted C18f.7G12hG50"  # session: closed
    b"\nsession_duplicate C18f.7A15c.8A50"  # session: was closed before
    b"\nsession_rejected C18f.7R30a.10R30a.10R60"  # session: missing or closed
    b"\nsession_pending C18f.7B30d.20B30"  # session: no answer yet
    b"\nsession_exempt C18f.7S12g.6S40"  # session: nothing to settle
    b"\nsession_error C18f.7M20b.8M20a.40"  # session: no decision could be made
    b"\n"
)

# Standing conditions, the highest first: name, what is shown once where it begins, what is shown over and over after.
STANDING = (
    b"\nfault R60eV20bR60e R20.20"  # broken: refuses to scan, call the technician
    b"\nengine M18aB12dM18a M30B30"  # the scan engine does not answer: its cable, its power
    b"\nattention A12d.6W12f.6A12d.6 A15.15A15.105"  # an earlier scan needs attention: see the console
    b"\npending B30d.10B60 B60.60"  # kept, not yet decided: the answer follows by itself
    b"\nlink_refused M12dA12bM12aA12 M10.10A10.120"  # the broker refuses us: certificate, name or rights
    b"\noutage A30eD10A30b A170D20"  # no word of the bridge for long: have the link seen to
    b"\noffline S15cD15aS15 S8.12S8.172"  # no link: scans are kept, and sent later
    b"\nidle_sale G9dE9b E170.10G6.14"  # ready: sale
    b"\nidle_return A9hE10d E160.10A10.20"  # ready: return
    b"\nidle_receive C8hE9f E150.10C10.30"  # ready: receive
    b"\nidle_stock-take V8hE10gV8 E140.10V10.40"  # ready: stock-take
    b"\nidle_query B8hE8hB8 E130.10B10.50"  # ready: query
    b"\nidle_dispatch Y8hE8eY9 E120.10Y10.60"  # ready: dispatch
    b"\nidle E7gE7d E250"  # ready
    b"\n"
)
