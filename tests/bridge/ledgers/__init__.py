"""Ledgers as older versions left them."""
