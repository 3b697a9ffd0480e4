"""What is counted, under the names that Prometheus reads."""

from functools import cache

from prometheus_client import Counter as _Counter
from prometheus_client import Gauge


class Counter:
    """A counter whose labelled children are found in one look-up: several are counted for each record."""

    def __init__(self, name: str, documentation: str, labels: list[str]) -> None:
        self.labels = cache(_Counter(name, documentation, labels).labels)


messages = Counter("scanlatch_messages", "Messages taken from the broker", ["kind"])
refused = Counter("scanlatch_refused", "Messages that claimed nothing", ["kind", "why"])
records = Counter("scanlatch_records", "Records by what became of them", ["fate"])
times = Counter("scanlatch_times", "Records whose time the terminal did not know, by how it was found", ["how"])
verdicts = Counter("scanlatch_verdicts", "Verdicts decided", ["outcome", "reason"])
published = Counter("scanlatch_published", "Messages handed to the broker", ["kind"])
not_published = Counter("scanlatch_not_published", "Messages the broker could not be given", ["kind"])
platform_calls = Counter("scanlatch_platform_calls", "Calls to the platform", ["call"])
platform_answers = Counter("scanlatch_platform_answers", "Answers of the platform", ["kind", "outcome"])
certificate_days = Gauge("scanlatch_certificate_days", "Days until the first certificate of a kind ends", ["kind"])
outbox_open = Gauge("scanlatch_outbox_open", "Submissions without a final answer")
not_logged = _Counter("scanlatch_not_logged", "Lines that the log did not take")
