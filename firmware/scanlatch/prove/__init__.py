# Proves: a scan as deterministic CBOR, chained and signed.
