# The console: one JSON line an event. Never what was read, never a key.
import json


def log(event, **fields):
    fields["event"] = event
    print(json.dumps(fields))
