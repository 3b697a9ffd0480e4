# Starts the terminal.
from scanlatch import app

app.run()
