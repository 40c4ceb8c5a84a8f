"""What Prometheus reads under /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Measures:
    """Counters of one server."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._all = every = CollectorRegistry()
        self.requests = Counter("munet_requests", "Requests by task and status code", ("task", "code"), registry=every)
        self.seconds = Histogram("munet_request_seconds", "From request to answer", buckets=_SECONDS, registry=every)
        self.waited = Histogram("munet_queue_seconds", "Waited for the device", buckets=_SECONDS, registry=every)
        self.queue = Gauge("munet_queue_depth", "Requests that wait for the device", registry=every)
        self.rows = Histogram("munet_batch_rows", "Images computed at once", buckets=_ROWS, registry=every)
        self.computed = Counter("munet_stage_rows_computed", "Rows computed, over all stages", registry=every)
        self.alone = Counter("munet_stage_rows_alone", "Rows that models without sharing compute", registry=every)
        self.models = Gauge("munet_models_loaded", "Tasks with a model that is served", registry=every)
        self.reloads = Counter("munet_reloads", "Models taken up after the start", registry=every)
        self.readable = Gauge("munet_system_readable", "1 where the system can be read, else 0", registry=every)
        self.reachable = Gauge("munet_remote_reachable", "1 where the last pull succeeded, else 0", registry=every)
        for one in (self.readable, self.reachable):
            one.set(1)

    def text(self) -> bytes:
        return generate_latest(self._all)
