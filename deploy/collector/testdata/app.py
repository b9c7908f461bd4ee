"""A service that lets secrets slip into its telemetry, as services in Python do.

Reads {"protocol", "endpoint", "client", "secrets": {place: value}} from standard input,
sends logs, traces and metrics by OTLP, and writes the ids of trace and span.
"""
import http.server
import json
import logging
import sys
import threading
import urllib.request

import requests
from opentelemetry import _logs, metrics, trace
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

job = json.load(sys.stdin)
secret = job["secrets"]
client = job["client"]


def exporters():
    if job["protocol"] == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        at = {"endpoint": job["endpoint"], "insecure": True}
        return OTLPLogExporter(**at), OTLPSpanExporter(**at), OTLPMetricExporter(**at)
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    at = job["endpoint"] + "/v1/"
    return (OTLPLogExporter(endpoint=at + "logs"), OTLPSpanExporter(endpoint=at + "traces"),
            OTLPMetricExporter(endpoint=at + "metrics"))


class Callback(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


resource = Resource.create({"service.name": "py-shop"})
log_exporter, span_exporter, metric_exporter = exporters()
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(span_exporter))
trace.set_tracer_provider(traces)
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(log_exporter))
_logs.set_logger_provider(logs)
meters = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(metric_exporter)])

RequestsInstrumentor().instrument(tracer_provider=traces)
URLLibInstrumentor().instrument(tracer_provider=traces)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback)
threading.Thread(target=server.serve_forever, daemon=True).start()
callback = "http://127.0.0.1:%d/callback?state=abc&client_id=%s&code=" % (server.server_port, client)


def handler():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opentelemetry.sdk._logs import LoggingHandler

        return LoggingHandler(logger_provider=logs)


log = logging.getLogger("shop")
log.setLevel(logging.DEBUG)
log.propagate = False
log.addHandler(handler())

tracer = trace.get_tracer("shop")
other = trace.SpanContext(trace_id=1, span_id=1, is_remote=True)
links = [trace.Link(other, {"access_token": secret["link"]})]
with tracer.start_as_current_span("login", links=links) as span:
    context = span.get_span_context()
    span.update_name("login code_verifier=" + secret["span name"])
    span.set_attribute("oauth.client_id", client)
    span.set_attribute("code_verifier", secret["attribute"])
    span.set_attribute("http.request.header.authorization", ["Bearer " + secret["list attribute"]])
    span.add_event("retry", {"url.query": "code_verifier=" + secret["event"]})
    try:
        raise ValueError("token refused: refresh_token=" + secret["exception"])
    except ValueError as e:
        span.record_exception(e)
    span.set_status(trace.Status(trace.StatusCode.ERROR, "client_secret=" + secret["status"]))

    requests.get(callback + secret["requests"], timeout=10)
    urllib.request.urlopen(callback + secret["urllib"], timeout=10).close()

    log.info("POST /token client_id=" + client + "&code_verifier=" + secret["log line"])
    log.warning("client_id=%s refresh_token=%s", client, secret["log arguments"])
    log.info("nothing to see", extra={"client_id": client, "client_secret": secret["log extra"]})
    try:
        raise RuntimeError("refused access_token=" + secret["log exception"])
    except RuntimeError:
        log.exception("login of a user failed", extra={"client_id": client})
    plain = logs.get_logger("shop")
    for body in ({"client_id": client, "headers": {"authorization": ["Bearer " + secret["structured body"]]}},
                 ("client_id=" + client + "&client_secret=" + secret["bytes body"]).encode()):
        plain.emit(_logs.LogRecord(body=body, severity_text="INFO"))
    for i in range(50):
        log.info("order %d shipped in 12 ms", i)

meters.get_meter("shop").create_counter("calls").add(1, {"url.full": callback.replace(client, "x") + secret["metric attribute"]})
for provider in (traces, logs, meters):
    provider.force_flush(10000)
    provider.shutdown()
server.shutdown()
json.dump({"trace": "%032x" % context.trace_id, "span": "%016x" % context.span_id}, sys.stdout)
