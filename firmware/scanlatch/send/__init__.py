# Sends: the link to the broker, and what comes back over it.
