"""What it costs to find something: the scenario `find` of scripts/bench. With millions of events in a thousand
tenants: how long an id, a name, a value of a searchable field and a page of looking through take, how large the index
is, and how fast values are written down. On SQLite, and on PostgreSQL where TEST_POSTGRES_URL names a cluster."""

import http.client
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import time
import urllib.parse

import hub

PASSWORD = "correct horse battery staple"
TENANTS = 1_000
ASKED = 200


class Browser:
    """One that is signed in."""

    def __init__(self, port, email):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        form = urllib.parse.urlencode({"email": email, "password": PASSWORD})
        head = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        self.connection.request("POST", "/login", form, head)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 303:
            raise hub.Failed(f"signing in was answered {answer.status}")
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def get(self, path, accept="text/html"):
        """Status, headers, text, and how many milliseconds it took."""
        began = time.perf_counter()
        head = {"Cookie": self.cookie, "Accept": accept}
        try:
            self.connection.request("GET", path, headers=head)
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            # while an index was filled in, the server has closed what nobody used
            self.connection.close()
            self.connection.request("GET", path, headers=head)
            answer = self.connection.getresponse()
        text = answer.read().decode()
        return answer.status, answer.headers, text, (time.perf_counter() - began) * 1000


def times(milliseconds):
    ordered = sorted(milliseconds)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 1),
        "longest": round(ordered[-1], 1),
    }


def prepare(bench, folder, events):
    """A SQLite file with a thousand tenants, and so many events of one of them."""
    database = f"sqlite://{folder}/find.db"
    user = ("user", "add", "--email", "ada@example.com", "--role", "administrator", "--password-stdin")
    hub.cli(database, *user, given=PASSWORD + "\n")
    tenant = hub.cli(database, "tenant", "add", "Load")[0]["id"]
    of = ("--tenant", tenant)
    searched = hub.cli(database, "event-type", "add", *of, "Order placed")[0]["id"]
    token = hub.cli(database, "token", "add", *of, "Web shop")[0]["token"]
    body = folder / "event.json"
    body.write_text(bench.event)
    command = [bench.bare, database, tenant, searched, body, "20000", str(events)]
    subprocess.run([*map(str, command)], check=True, capture_output=True, timeout=3600)
    with sqlite3.connect(f"{folder}/find.db") as db:
        others = [(os.urandom(16), f"Tenant {n:04}") for n in range(TENANTS - 1)]
        now = "2026-01-01T00:00:00+00:00"
        db.executemany("INSERT INTO tenants VALUES (?, ?, 1, '[]', ?)", [(i, name, now) for i, name in others])
        db.executemany(
            "INSERT INTO event_types (tenant_id, id, name, description, contract, policy, unique_fields, anonymous,"
            " enabled, created_at, updated_at) VALUES (?, ?, ?, '', '{}', 'quarantine', '[]', 0, 1, ?, ?)",
            [(i, os.urandom(16), f"Kind {n} of {name}", now, now) for i, name in others for n in range(20)],
        )
    return {"tenant": tenant, "type": searched, "token": token}


def size(database, server_folder):
    if database.startswith("sqlite"):
        return sum(file.stat().st_size for file in server_folder.glob("find.db*"))
    said = subprocess.run(["psql", "-AtX", database, "-c", "SELECT pg_database_size(current_database())"], capture_output=True, text=True)
    return int(said.stdout) if said.returncode == 0 else None


def measure(bench, database, folder, made, events):
    """All questions to one database."""
    log = folder / "serve.log"
    before = size(database, folder)
    server = hub.Server(database, log, ready_within=120)
    figures = {"events": events}
    try:
        ada = Browser(server.port, "ada@example.com")
        base = f"/tenants/{made['tenant']}"
        scan = f"{base}/events?type={made['type']}&field=n&value=77"
        figures["scan_page"] = times([ada.get(scan)[3] for _ in range(5)])
        text = ada.get(scan)[2]
        figures["scan_says"] = text[text.find("Looked through"):][:60].split("<")[0]

        # the index is filled in from what is there: how fast is that
        began = time.monotonic()
        hub.cli(database, "event-type", "searchable", "--tenant", made["tenant"], made["type"], "marker")
        while not (standing := hub.cli(database, "event-type", "searchable", "--tenant", made["tenant"], made["type"], "marker"))[0]["fields"][0]["ready"]:
            if time.monotonic() - began > 3600:
                raise hub.Failed(f"the index is not complete after an hour: {standing}")
            time.sleep(0.5)
        figures["filled_per_second"] = round(events / (time.monotonic() - began))

        value = lambda n: f"order-{n:06x}-00001"
        step = max(1, events // ASKED)
        by_field, ids = [], []
        for n in range(0, step * ASKED, step):
            path = f"{base}/events?" + urllib.parse.urlencode({"type": made["type"], "field": "marker", "value": value(n)})
            status, _, text, took = ada.get(path)
            place = text.find(f'href="{base}/events/')
            if status != 200 or place < 0:
                raise hub.Failed(f"{value(n)} was not found: {status}")
            by_field.append(took)
            ids.append(text[place:].split('"')[1].rsplit("/", 1)[1])
        figures["field_page"] = times(by_field)
        ask = lambda text: ada.get("/search/suggest?" + urllib.parse.urlencode({"q": text}), "application/json")
        figures["id"] = times([ask(i)[3] for i in ids])
        if json.loads(ask(ids[0])[2])["groups"][0]["hits"][0]["href"] != f"{base}/events/{ids[0]}":
            raise hub.Failed("the id of an event was not found")
        figures["id_unknown"] = times([ask(f"0198c0de-0000-7000-8000-{n:012x}")[3] for n in range(ASKED)])
        figures["by_name"] = times([ask(f"kind {n % 20} of tenant {n * 5:04}")[3] for n in range(ASKED)])
        figures["letter"] = times([ask("abcdefghijklmnoprst"[n % 19])[3] for n in range(ASKED)])
        figures["memory"] = server.peak_memory()
        # before more events come
        after = size(database, folder)
        if before and after:
            figures["index_bytes_per_event"] = round((after - before) / events)
        figures["follow"] = follow(bench, database, server, made)
    finally:
        server.stop(30)
    return figures


def follow(bench, database, server, made):
    """Events a second that the front door takes, and that are counted and written down, with a searchable field and
    without one: from the first request until nothing is left to be followed."""
    result = {}
    other = hub.cli(database, "event-type", "add", "--tenant", made["tenant"], "Not searchable")[0]["id"]
    time.sleep(1)
    for name, event_type in (("without", other), ("with", made["type"])):
        sent, began, start = 0, time.monotonic(), time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        connection = hub.Connection(server.port, 60)
        while time.monotonic() - began < bench.options.seconds * 2:
            body = "[" + ",".join(bench.event.replace("MARKER", f"{sent + n:06x}") for n in range(1000)) + "]"
            status, _, text = connection.post(f"/events/v1.0/tenants/{made['tenant']}/events/{event_type}", made["token"], body.encode())
            if status != 201:
                raise hub.Failed(f"{status}: {text[:200]}")
            sent += 1000
        took = time.monotonic() - began
        last = f"order-{sent - 1:06x}-00001"
        command = ("events", "list", "--tenant", made["tenant"], "--event-type", event_type, "--field", "marker", "--value", last, "--limit", "1")
        lag = 0.0
        if name == "with":
            # values from before the measurement are alike: the newest must be of now
            while not any(one["receivedAt"] >= start for one in hub.cli(database, *command)):
                time.sleep(0.1)
            lag = time.monotonic() - began - took
        connection.close()
        result[name] = {"taken_per_second": round(sent / took), "lag_seconds": round(lag, 1)}
    return result


def find(bench):
    """how long it takes to find an id, a name, a value; and what an index of values costs"""
    from measure import BARE, EVENT, OUT

    bench.bare = BARE
    bench.event = EVENT.replace("MARKER", "order-MARKER-00001")
    for events in bench.options.find:
        folder = OUT / "find"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            print(f"    storing {events:,} events", flush=True)
            made = prepare(bench, folder, events)
            places = {"sqlite": f"sqlite://{folder}/find.db"}
            url = os.environ.get("TEST_POSTGRES_URL")
            if url:
                name = f"find_{os.getpid()}_{events}"
                subprocess.run(["psql", "-qX", url, "-c", f"CREATE DATABASE {name}"], check=True, capture_output=True)
                places["postgres"] = urllib.parse.urlsplit(url)._replace(path=f"/{name}").geturl()
                hub.cli(places["sqlite"], "copy", "--from", places["sqlite"], "--to", places["postgres"])
                subprocess.run(["psql", "-qX", places["postgres"], "-c", "VACUUM ANALYZE"], check=True, capture_output=True)
            for kind, database in places.items():
                figures = measure(bench, database, folder, made, events)
                bench.keep(f"find-{kind}-{events}", **figures)
                print("    " + json.dumps(figures), flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
