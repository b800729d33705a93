"""Stands for an OpenTelemetry collector: takes OTLP over HTTP as one does, and decodes what came."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Collector:
    """What came so far.

    Attributes:
        spans: As sent, with their resources.
        metrics: The newest of each name.
        resource: The attributes of whoever sent last.
    """

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.metrics: dict[str, Any] = {}
        self.resource: dict[str, str] = {}
        self.url = ""

    def named(self, name: str) -> list[Any]:
        return [span for span in list(self.spans) if span.name == name]

    def take(self, path: str, body: bytes) -> bytes:
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace

        if path == "/v1/traces":
            for sent in trace.ExportTraceServiceRequest.FromString(body).resource_spans:
                self._know(sent.resource)
                self.spans += [span for scope in sent.scope_spans for span in scope.spans]
            return bytes(trace.ExportTraceServiceResponse().SerializeToString())
        assert path == "/v1/metrics"
        for read in metrics.ExportMetricsServiceRequest.FromString(body).resource_metrics:
            self._know(read.resource)
            self.metrics |= {metric.name: metric for scope in read.scope_metrics for metric in scope.metrics}
        return bytes(metrics.ExportMetricsServiceResponse().SerializeToString())

    def _know(self, resource: Any) -> None:
        self.resource = {each.key: each.value.string_value for each in resource.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a port of its own."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/x-protobuf"
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            answer = collector.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield collector
        finally:
            server.shutdown()
            serving.join()
