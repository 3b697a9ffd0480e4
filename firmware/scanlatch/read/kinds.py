# What is told of a symbol that is no trace code, by its kind. Loaded for each.

# The indicator's pattern.
PATTERNS = (
    "", "", "wrong_symbol", "credential", "torn", "unknown_symbol", "personal", "", "engine_code", "glued", "case_code"
)  # fmt: skip

# The counter in health.
COUNTERS = ("", "", "product", "credential", "torn", "unknown", "personal", "", "engine_code", "glued", "case_code")
