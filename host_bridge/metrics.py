"""What is counted, under the names that Prometheus reads."""

from prometheus_client import Counter, Gauge

messages = Counter("scanlatch_messages", "Messages taken from the broker", ["kind"])
refused = Counter("scanlatch_refused", "Messages that claimed nothing", ["kind", "why"])
records = Counter("scanlatch_records", "Records by what became of them", ["fate"])
verdicts = Counter("scanlatch_verdicts", "Verdicts decided", ["outcome", "reason"])
published = Counter("scanlatch_published", "Messages handed to the broker", ["kind"])
not_published = Counter("scanlatch_not_published", "Messages the broker could not be given", ["kind"])
platform_calls = Counter("scanlatch_platform_calls", "Calls to the platform", ["call"])
platform_answers = Counter("scanlatch_platform_answers", "Answers of the platform", ["kind", "outcome"])
outbox_open = Gauge("scanlatch_outbox_open", "Submissions without a final answer")
