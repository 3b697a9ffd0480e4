"""Printed sheets: control codes, device labels, and the page that calibrates a scan engine."""
