# Starts the terminal.
import gc

# Collect often while modules come in: what lives for ever then lies close together, and the heap stays in one piece.
gc.threshold(1024)

from scanlatch import app  # noqa: E402

app.run()
