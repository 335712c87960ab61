"""An external system for the torture: records with a time of change, asked for by a window, in pages, slowly. Standard
library only."""

import json
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = 20


class Vendor:
    """Holds `count` records, evenly over the last `hours`, and answers on a port of its own."""

    def __init__(self, seed, count, hours):
        self.chance = random.Random(seed)
        self.end = int(time.time() * 1000) - 60_000
        self.start = self.end - hours * 3_600_000
        step = (self.end - self.start) / count
        self.records = [(n, int(self.start + n * step)) for n in range(count)]
        self.asked = 0
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                vendor.answer(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                """Whoever was killed does not read on."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        since, until, offset = int(asked["from"]), int(asked["until"]), int(asked.get("offset", 0))
        source = urlsplit(request.path).path.strip("/")
        self.asked += 1
        time.sleep(self.chance.uniform(0, 0.02))
        if self.chance.random() < 0.01:
            return request.send_error(503)
        page = [record for record in self.records if since <= record[1] < until][offset : offset + PAGE]
        body = json.dumps({"items": [{"marker": f"{source}-{n}", "n": n, "at": at} for n, at in page]}).encode()
        # now and then an answer breaks off
        length = len(body) + (7 if self.chance.random() < 0.01 else 0)
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(length))
        request.end_headers()
        request.wfile.write(body)
        if length != len(body):
            request.close_connection = True

    def source(self, name):
        """A SOURCE.json: windows of this name see records of this name."""
        return {
            "name": name,
            "url": f"http://127.0.0.1:{self.port}/{name}",
            "window": {
                "parameters": {"from": "{from}", "until": "{until}"},
                "format": {"kind": "epochMilliseconds"},
                "precision": "milliseconds",
            },
            "schedule": {"everyMinutes": 60, "settleSeconds": 0},
            "records": "$.items",
            "pages": {"kind": "offset", "parameter": "offset"},
            "recordId": ["/marker"],
        }

    def close(self):
        self.server.shutdown()
