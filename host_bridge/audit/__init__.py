"""Audits the ledger, and gives out of it what others can check by themselves."""
