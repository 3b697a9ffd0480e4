"""The books audited, and evidence taken out of them for others to check."""
