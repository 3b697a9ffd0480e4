# Reads: from the engine's bytes to a classified code.
