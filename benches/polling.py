"""What polling costs: the scenarios `poll`, `catch-up`, `large-window` and `large-answer` of scripts/bench. The other
side is `tributary vendor` on the same machine, or a few lines of Python where one answer is to be very large."""

import datetime
import hashlib
import json
import os
import re
import shutil
import socketserver
import sqlite3
import statistics
import subprocess
import threading
import time
import urllib.request
import uuid
from pathlib import Path

import hub

ALLOWED = {"TRIBUTARY_ALLOW_OUTBOUND": "127.0.0.1"}
TICKS = os.sysconf("SC_CLK_TCK")


class Vendor:
    """`tributary vendor`, with some records of the past and as many of the time to come."""

    def __init__(self, *arguments):
        command = [str(hub.BINARY), "--json", "vendor", "--listen", "127.0.0.1:0", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def source(url, **changes):
    return {
        "name": "Records",
        "url": url,
        "window": {"parameters": {"from": "{from}", "until": "{until}"}, "precision": "milliseconds"},
        "schedule": {"everyMinutes": 1, "settleSeconds": 0},
        "records": "$.data.items",
        "pages": {"kind": "nextInBody", "path": "$.meta.next", "cap": 10000},
        "recordId": ["/id"],
        "version": "/version",
        "limits": {"records": 10_000_000},
        **changes,
    }


class Room:
    """A SQLite file with a tenant whose type takes anything."""

    def __init__(self, name):
        from measure import OUT, SCHEMA

        self.folder = OUT / "data" / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.file = self.folder / "tributary.db"
        self.database = f"sqlite://{self.file}"
        self.tenant = hub.Tenant(self.database, self.folder, SCHEMA)
        self.log = OUT / f"{name}.log"
        self.server = None

    def add(self, definition, start=None):
        file = self.folder / "SOURCE.json"
        file.write_text(json.dumps(definition))
        command = ["source", "add", "--tenant", self.tenant.id, "--event-type", self.tenant.anything, "--file", str(file)]
        return hub.cli(self.database, *command, *(("--start", start) if start else ()))[0]["id"]

    def serve(self):
        self.server = hub.Server(self.database, self.log, env=ALLOWED, ready_within=120)
        return self.server

    def rows(self, text, *values):
        connection = sqlite3.connect(f"file:{self.file}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(text, values).fetchall()
        finally:
            connection.close()

    def wait(self, text, wanted, within):
        """Waits until a statement answers so; returns the seconds it took."""
        began = time.monotonic()
        while (seen := self.rows(text)[0][0]) != wanted:
            if time.monotonic() - began > within:
                raise hub.Failed(f"{seen} instead of {wanted} after {within} s: {text}")
            time.sleep(0.05)
        return time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.stop(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def cpu(pid):
    """Seconds of processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid, of):
    return int(re.search(rf"{of}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def moment(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def jitter(source_id):
    """How long a source waits so that others can go first, in seconds: as src/polling/schedule says, for a minute."""
    draw = int.from_bytes(hashlib.sha256(source_id).digest()[:4], "big")
    return draw * 60_000 // (1 << 32) / 1000


def text(at):
    """A moment as the server writes it, to the letter, since SQLite compares texts: no zeros behind the last group of three."""
    digits = f"{at.microsecond:06}"
    fraction = "" if digits == "000000" else "." + (digits[:3] if digits.endswith("000") else digits)
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}+00:00"


def multiply(room, first, count):
    """Makes a source many, all of them begun and none of them due before its own moment."""
    with sqlite3.connect(room.file) as db:
        db.row_factory = sqlite3.Row
        row = dict(db.execute("SELECT * FROM sources WHERE id = ?", (uuid.UUID(first).bytes,)).fetchone())
        soon = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
        row |= {"starts_at": text(soon), "watermark": text(soon)}
        columns = list(row)
        insert = f"INSERT INTO sources ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        minute = datetime.timedelta(minutes=1)
        for n in range(count):
            identity = os.urandom(16)
            due = soon + minute + datetime.timedelta(seconds=jitter(identity))
            db.execute(insert, list((row | {"id": identity, "name": f"Source {n}", "next_run_at": text(due)}).values()))
        db.execute("DELETE FROM sources WHERE id = ?", (uuid.UUID(first).bytes,))


def poll(bench):
    """10,000 sources that are asked each minute: how late they are, CPU, memory, and the front door beside it"""
    from measure import Room as Front

    quick = bench.options.quick
    count, minutes = (200, 1) if quick else (10_000, 5)
    with Room("poll") as room, Vendor("--hours", 6, "--records", 720) as vendor:
        first = room.add(source(vendor.url))
        multiply(room, first, count)
        server = room.serve()
        # the first round fills caches and makes connections
        time.sleep(70)
        begin, used = time.time(), cpu(server.process.pid)
        time.sleep(60 * minutes)
        end, used = time.time(), cpu(server.process.pid) - used
        windows = room.rows(
            "SELECT source_id, until_at, done_at FROM windows WHERE kind = 'scheduled' AND done_at IS NOT NULL"
        )
        late = []
        for identity, until, done in windows:
            due = moment(until) + jitter(identity)
            if begin <= due < end - 5:
                late.append(moment(done) - due)
        late.sort()
        waiting = room.rows("SELECT COUNT(*) FROM windows WHERE done_at IS NULL")[0][0]
        memory = server.peak_memory()
        front = beside(bench, room, server)
    with Front("poll-front") as alone:
        path = alone.tenant.path(alone.tenant.plain)
        bench.wrk(alone.server, alone.tenant, path, 64, seconds=bench.options.warm_up)
        without = bench.wrk(alone.server, alone.tenant, path, 64)["per_second"]
    at = lambda share: late[min(len(late) - 1, int(len(late) * share))]
    figures = {
        "sources": count,
        "windows": len(late),
        "late_p50": round(at(0.5), 3),
        "late_p99": round(at(0.99), 3),
        "latest": round(late[-1], 3),
        "waiting": waiting,
        "cpu_percent": round(100 * used / (end - begin), 1),
        "peak_memory_mib": round(memory / 2**20),
        "front_door_beside": round(front),
        "front_door_alone": round(without),
    }
    tell(bench, "poll", figures)


def beside(bench, room, server):
    """What the front door takes while sources are asked."""
    path = room.tenant.path(room.tenant.plain)
    bench.wrk(server, room.tenant, path, 64, seconds=bench.options.warm_up)
    return bench.wrk(server, room.tenant, path, 64)["per_second"]


def catch_up(bench):
    """1,000 windows that were missed: merged, as they are, and asked one by one"""
    count = 60 if bench.options.quick else 1_000
    with Room("catch-up") as room, Vendor("--hours", 48, "--records", 20_000) as vendor:
        now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
        text = lambda ago: (now - datetime.timedelta(minutes=ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
        left = "SELECT COUNT(*) FROM windows WHERE done_at IS NULL"
        began = time.monotonic()
        missed = room.add(source(vendor.url), text(count))
        room.serve()
        room.wait("SELECT COUNT(*) > 0 FROM windows WHERE done_at IS NOT NULL", 1, 120)
        room.wait(left, 0, 120)
        merged = time.monotonic() - began
        asks = room.rows("SELECT COUNT(*), SUM(requests), SUM(fresh) FROM windows WHERE kind = 'scheduled'")[0]
        other = room.add(source(vendor.url, name="One by one"), text(1))
        began = time.monotonic()
        hub.cli(room.database, "source", "backfill", "--id", other, "--from", text(count + 1), "--until", text(1), "--slice", "1m")
        room.wait(left, 0, 600)
        each = time.monotonic() - began
        done = room.rows("SELECT COUNT(*), SUM(fresh) FROM windows WHERE kind = 'backfill'")[0]
        hub.cli(room.database, "source", "remove", "--id", missed)
    figures = {
        "missed": count,
        "merged_windows": asks[0],
        "merged_requests": asks[1],
        "merged_records": asks[2],
        "merged_seconds": round(merged, 2),
        "single_windows": done[0],
        "single_records": done[1],
        "single_seconds": round(each, 2),
        "single_windows_per_second": round(done[0] / each, 1),
    }
    tell(bench, "catch-up", figures)


def large_window(bench):
    """records a second of one large window, against curl and a JSON parse of the same pages"""
    count, size = (5_000, 500) if bench.options.quick else (200_000, 1_000)
    rounds = max(1, bench.options.rounds // 2)
    # half of its records lie in the time to come
    with Vendor("--hours", 24, "--records", count * 2, "--size", size) as vendor:
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        since = now - datetime.timedelta(hours=25)
        plain, polled = [], []
        for number in range(rounds):
            plain.append(curl(bench, vendor.url, since, now))
            with Room("large-window") as room:
                room.serve()
                began = time.monotonic()
                room.add(source(vendor.url, schedule={"everyMinutes": 1440, "settleSeconds": 0}), since.strftime("%Y-%m-%dT%H:%M:%SZ"))
                identity = hub.cli(room.database, "source", "list", "--tenant", room.tenant.id)[0]["id"]
                hub.cli(room.database, "source", "run", "--id", identity)
                room.wait("SELECT COALESCE(SUM(fresh), 0) >= %d FROM windows" % (count * 0.99), 1, 600)
                room.wait("SELECT COUNT(*) FROM windows WHERE done_at IS NULL", 0, 600)
                spans = room.rows("SELECT started_at, ended_at FROM attempts WHERE ended_at IS NOT NULL")
                seconds = max(moment(end) for _, end in spans) - min(moment(start) for start, _ in spans)
                records = room.rows("SELECT SUM(records) FROM windows")[0][0]
                polled.append(records / seconds)
            print(f"    round {number + 1}: curl {plain[-1]:,.0f}, polled {polled[-1]:,.0f} records/s", flush=True)
    ratios = [there / here for here, there in zip(plain, polled)]
    figures = {
        "records": count,
        "page": size,
        "curl_and_parse_per_second": round(statistics.median(plain)),
        "polled_and_stored_per_second": round(statistics.median(polled)),
        "ratio": round(statistics.median(ratios), 2),
    }
    tell(bench, "large-window", figures)


def curl(bench, url, since, until):
    """Records a second of curl, all pages over one connection, and a JSON parse of each."""
    from measure import OUT

    text = lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    first = f"{url}?from={text(since)}&until={text(until)}"
    pages, address = [], first
    while address:
        pages.append(address)
        with urllib.request.urlopen(address) as answer:
            onward = json.loads(answer.read())["meta"]["next"]
        address = onward and url.rsplit("/", 1)[0] + onward
    folder = OUT / "data" / "curl"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    orders = folder / "orders"
    orders.write_text("".join(f'url = "{page}"\noutput = "{folder}/{n}"\n' for n, page in enumerate(pages)))
    began = time.monotonic()
    subprocess.run(["curl", "-s", "-K", str(orders)], check=True, timeout=600)
    records = sum(len(json.loads((folder / str(n)).read_bytes())["data"]["items"]) for n in range(len(pages)))
    return records / (time.monotonic() - began)


class Endless(socketserver.ThreadingTCPServer):
    """Answers any question with so many bytes of records, as one answer."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self, most):
        self.most, self.records = most, 0
        endless = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while self.rfile.readline().strip():
                    pass
                head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
                self.wfile.write(head.encode() + b'{"data":{"items":[')
                filling, sent, n = "x" * 900, 0, 0
                while sent < endless.most:
                    some = ",".join(f'{{"id":{n + k},"version":1,"filling":"{filling}"}}' for k in range(500))
                    piece = (("," if n else "") + some).encode()
                    self.wfile.write(piece)
                    sent, n = sent + len(piece), n + 500
                endless.records = n
                self.wfile.write(b"]}}")

            def finish(self):
                try:
                    super().finish()
                except OSError:
                    pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/records"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def large_answer(bench):
    """memory that one answer of 500 MB takes, with a record path of plain steps: at most 32 MiB"""
    size = (20 if bench.options.quick else 500) * 1_000_000
    with Room("large-answer") as room:
        changes = {
            "pages": {"kind": "none"},
            "schedule": {"everyMinutes": 1440, "settleSeconds": 0},
            "limits": {"seconds": 900, "bytes": 1 << 30, "records": 10_000_000},
        }
        server = room.serve()
        pid = server.process.pid
        ask = lambda endless, name: room.add(source(endless.url, name=name, **changes))
        left = "SELECT COUNT(*) FROM windows WHERE done_at IS NOT NULL AND records > 0"
        # caches are filled, and what the disk keeps in memory is there
        ask(Endless(20_000_000), "Small")
        room.wait(left, 1, 300)
        before = resident(pid, "VmRSS")
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        large = Endless(size)
        began = time.monotonic()
        ask(large, "Large")
        room.wait(left, 2, 900)
        took = time.monotonic() - began
        most = resident(pid, "VmHWM")
        records = room.rows("SELECT MAX(records) FROM windows")[0][0]
        if records != large.records:
            raise hub.Failed(f"{records} records of {large.records}")
    figures = {
        "answer_mb": size // 1_000_000,
        "records": records,
        "seconds": round(took, 1),
        "before_mib": round(before / 2**20, 1),
        "most_mib": round(most / 2**20, 1),
        "more_mib": round((most - before) / 2**20, 1),
        "allowed_mib": 32,
    }
    tell(bench, "large-answer", figures)
    if figures["more_mib"] > 32:
        raise hub.Failed(f"one answer takes {figures['more_mib']} MiB")


def tell(bench, name, figures):
    bench.keep(f"poll-{name}", **figures)
    for what, value in figures.items():
        print(f"    {what.replace('_', ' ')}: {value:,}", flush=True)


SCENARIOS = {"poll": poll, "catch-up": catch_up, "large-window": large_window, "large-answer": large_answer}
