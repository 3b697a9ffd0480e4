"""Updates of terminals: bundles, the key that signs them, and their way to a terminal."""
