"""Measures what is promised: each budget beside what this machine does."""
