"""The host bridge: MQTT in, decision, ledger, settlement, verdict out."""
