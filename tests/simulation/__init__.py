"""The world in virtual time: terminals, broker, bridges, ledger and platform in one process, all from one seed."""
