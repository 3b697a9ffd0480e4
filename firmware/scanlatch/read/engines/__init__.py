# Scan engines, one file a protocol family.
