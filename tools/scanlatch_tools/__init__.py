"""What a technician runs: the package behind the `scanlatch` command."""
