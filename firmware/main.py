# Starts the terminal.
import gc

# Collect often while modules come in: what lives for ever then lies close together, and the heap stays in one piece.
gc.threshold(1024)

try:
    from scanlatch import app

    app.run()
except Exception:  # no room, or a file that can't be read: the console tells, and the watchdog has it tried again
    from machine import WDT

    WDT(timeout=60_000)
    raise
