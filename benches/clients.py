"""Clients of the torture: they send events with markers, and write down what they were promised."""

import json
import random
import sqlite3
import subprocess
import threading
import time
import zlib
from collections import Counter

import hub

THREADS = 12


class Request:
    """What was sent, and what was answered."""

    __slots__ = ("kind", "path", "key", "markers", "broken", "receipt", "accepted", "acknowledged", "refused")

    def __init__(self, kind, path, markers, broken=0, key=None):
        self.kind, self.path, self.markers, self.broken, self.key = kind, path, markers, broken, key
        self.receipt = None  # of the first answer
        self.accepted = 0  # by all answers together
        self.acknowledged = False
        self.refused = False  # told that nothing of it was stored

    @property
    def repeatable(self):
        return self.kind in ("unique", "once")

    def body(self):
        """The same bytes each time. The last `broken` events break their contract."""
        events = []
        for at, marker in enumerate(self.markers):
            n = '"broken"' if at >= len(self.markers) - self.broken else at
            events.append(f'{{"marker": "{marker}", "n": {n}, "pad": "{"·" * (zlib.crc32(marker.encode()) % 200)}"}}')
        return (events[0] if self.kind == "single" else f"[{','.join(events)}]").encode()


class Client(threading.Thread):
    """Sends one request after the other, to whatever server is up; what can be repeated safely is, until answered."""

    def __init__(self, load, name):
        super().__init__(daemon=True)
        self.load, self.label = load, name
        self.chance = random.Random(f"{load.seed}/{name}")
        self.sent = []
        self.pending = None
        self.again = []
        self.count = 0
        self.connection = self.port = None

    def markers(self, many):
        self.count += many
        return [f"{self.label}-{self.count - at}" for at in range(many)]

    def next(self):
        tenant, kind = self.load.tenant, self.chance.choices(
            ("single", "batch", "broken", "unique", "once", "again"), (50, 6, 4, 15, 15, 10)
        )[0]
        if kind == "again" and self.again:
            return self.chance.choice(self.again)
        plain, unique = tenant.path(tenant.plain), tenant.path(tenant.unique)
        if kind == "batch":
            request = Request(kind, plain, self.markers(40))
        elif kind == "broken":
            request = Request(kind, plain, self.markers(6), broken=2)
        elif kind == "unique":
            request = Request(kind, unique, self.markers(self.chance.choice((1, 1, 5))))
        elif kind == "once":
            request = Request(kind, plain, self.markers(3), key=f"key-{self.label}-{self.count}")
        else:
            request = Request("single", plain, self.markers(1))
        self.sent.append(request)
        return request

    def run(self):
        while not self.load.stopping.is_set():
            if not self.connected():
                time.sleep(0.002)
                continue
            request, self.pending = self.pending or self.next(), None
            if not self.ask(request) and request.repeatable:
                self.pending = request

    def connected(self):
        ports = self.load.ports
        port = ports[hash(self.label) % len(ports)] if ports else None
        if self.connection and self.port == port:
            return True
        self.drop()
        if not port:
            return False
        try:
            self.connection, self.port = hub.Connection(port), port
        except OSError:
            return False
        return True

    def drop(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def ask(self, request):
        """Sends it and notes the answer. False when there was none, or a 503."""
        headers = (("Idempotency-Key", request.key),) if request.key else ()
        try:
            status, headers, body = self.connection.post(request.path, self.load.tenant.token, request.body(), headers)
        except (OSError, ValueError):
            self.drop()
            return False
        return self.load.note(self, request, status, headers, body)


class Load:
    """All clients, and what they know."""

    def __init__(self, tenant, seed):
        self.tenant, self.seed = tenant, seed
        self.ports = []
        self.stopping = threading.Event()
        self.faults = []
        self.answers = Counter()
        self.clients = [Client(self, f"m{number}") for number in range(THREADS)]
        for client in self.clients:
            client.start()

    def fault(self, text):
        if len(self.faults) < 20:
            self.faults.append(text)

    def note(self, client, request, status, headers, body):
        self.answers[status] += 1
        if status == 503:
            if not headers.get("retry-after", "").isdigit():
                self.fault(f"a 503 without Retry-After: {headers}")
            request.refused = b"nothing was stored" in body
            return False
        if status != 201:
            self.fault(f"{status} to a request of kind {request.kind}: {body[:300]!r}")
            return True
        answer = json.loads(body)
        accepted, duplicates, rejected = answer["accepted"], answer["duplicates"], len(answer["rejected"])
        good = len(request.markers) - request.broken
        if accepted + duplicates != good or rejected != request.broken or (accepted and duplicates):
            self.fault(f"{request.kind} of {good} good events was answered {answer}")
        if request.acknowledged and accepted:
            self.fault(f"{request.kind} {request.markers} was accepted a second time: the first was lost")
        if request.key and request.receipt and request.receipt != answer["receiptId"]:
            self.fault(f"{request.key} was answered with another receipt when repeated")
        if not request.acknowledged and request.repeatable:
            client.again = [*client.again[-50:], request]
        request.receipt = request.receipt or answer["receiptId"]
        request.acknowledged = True
        request.accepted += accepted
        return True

    def acknowledged(self):
        return self.answers[201]

    def wait_for_more(self, seconds, more=20):
        """Whether that many further requests are acknowledged in time."""
        goal, until = self.acknowledged() + more, time.monotonic() + seconds
        while self.acknowledged() < goal and time.monotonic() < until:
            time.sleep(0.01)
        return self.acknowledged() >= goal

    def finish(self, port):
        """Ends the clients; what may be repeated and was not answered is asked until it is."""
        self.ports = [port]
        self.stopping.set()
        for client in self.clients:
            client.join()
            client.drop()
            if client.pending:
                if not (client.connected() and client.ask(client.pending)):
                    self.fault(f"{client.pending.kind} got no answer when asked at rest")
                client.drop()

    @property
    def requests(self):
        return (request for client in self.clients for request in client.sent)


def compare(report, load, database):
    """What was promised against what `events list` shows."""
    stored, quarantined = Counter(), 0
    command = [str(hub.BINARY), "--json", "events", "list", "--tenant", load.tenant.id, "--limit", "100000000"]
    with subprocess.Popen([*command, "--database-url", database], stdout=subprocess.PIPE, text=True) as listing:
        for line in listing.stdout:
            payload = json.loads(line)["payload"]
            payload = json.loads(payload) if isinstance(payload, str) else payload
            stored[payload["marker"]] += 1
            quarantined += payload["n"] == "broken"
    report.check("the list of events can be read", listing.returncode == 0, f"exit code {listing.returncode}")

    promised = lost = doubled = torn = survivors = twice = unanswered = untrue = 0
    for request in load.requests:
        found = [stored.pop(marker, 0) for marker in request.markers]
        doubled += sum(1 for times in found if times > 1)
        twice += request.accepted > len(request.markers) - request.broken
        if request.acknowledged:
            promised += len(found)
            lost += found.count(0)
        else:
            unanswered += 1
            survivors += found[0] > 0
            torn += len(set(found)) > 1
            untrue += request.refused and any(found)
    report.note(
        f"{promised:,} events acknowledged, {sum(1 for r in load.requests if r.acknowledged):,} requests; "
        f"{unanswered} requests without an answer, {survivors} of them stored; {load.answers[503]} answers 503"
    )
    report.check("something was acknowledged at all", promised > 0)
    report.check("every acknowledged event is there", lost == 0, f"{lost} of {promised} are missing")
    report.check("no event is there twice", doubled == 0, f"{doubled} are")
    report.check("nothing was acknowledged twice", twice == 0, f"{twice} requests were")
    report.check("what was not acknowledged is there as a whole or not at all", torn == 0, f"{torn} requests are torn")
    report.check("what was refused with 'nothing was stored' is not there", untrue == 0, f"{untrue} requests are")
    report.check("nothing is there that nobody sent", not stored, f"{len(stored)} events, such as {list(stored)[:3]}")
    report.check("every answer was as it has to be", not load.faults, "; ".join(load.faults[:3]))
    return quarantined


def rows(database, statement):
    """Rows of a statement, by a client of the database that is not ours. Tabs between the columns of PostgreSQL."""
    if database.startswith("sqlite://"):
        connection = sqlite3.connect(f"file:{database.removeprefix('sqlite://')}?mode=ro", uri=True, timeout=10)
        try:
            return [tuple(map(str, row)) for row in connection.execute(statement)]
        finally:
            connection.close()
    done = subprocess.run(["psql", database, "-qAtF", "\t", "-c", statement], capture_output=True, text=True, check=True)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def settle(database, seconds=60.0):
    """Waits until all batches are worked off."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if rows(database, "SELECT COUNT(*) FROM batches") == [("0",)]:
            return True
        time.sleep(0.1)
    return False


def compare_counts(report, database):
    """What the counters say against what is stored."""
    counted = rows(database, "SELECT event_type_id, SUM(accepted), SUM(quarantined) FROM event_counts GROUP BY 1 ORDER BY 1")
    stored = rows(
        database,
        "SELECT event_type_id, COUNT(*) FILTER (WHERE verdict = 'accepted'),"
        " COUNT(*) FILTER (WHERE verdict = 'quarantined') FROM events GROUP BY 1 ORDER BY 1",
    )
    report.check("the counters say what is stored", counted == stored, f"counted {counted}, stored {stored}")
