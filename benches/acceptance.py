"""Acceptance: a real external system, run from its package, is filled, changed and polled, and what it holds is compared
with what was stored. `scripts/acceptance-pretix` and `scripts/acceptance-redmine` set the systems up and call this."""

import argparse
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import hub
from clients import rows

OUT = hub.ROOT / "target/acceptance"


class Report:
    def __init__(self):
        self.failed = 0

    def check(self, what, good, otherwise=""):
        self.failed += not good
        print(f"    {'ok    ' if good else 'FAILED'}  {what}{'' if good or not otherwise else ': ' + otherwise}", flush=True)


class Room:
    """A tenant with one type that takes anything, one source, and a server that polls it."""

    def __init__(self, name, definition):
        self.folder = OUT / f"{name}-tributary"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.database = f"sqlite://{self.folder / 'tributary.db'}"
        key = self.folder / "key"
        key.write_text("A" * 43 + "\n")
        # the command line seals the token with it as well
        os.environ["TRIBUTARY_KEY_FILE"] = str(key)
        self.tenant = hub.Tenant(self.database, self.folder, {"type": "object"})
        file = self.folder / "SOURCE.json"
        file.write_text(json.dumps(definition))
        add = ("source", "add", "--tenant", self.tenant.id, "--event-type", self.tenant.anything, "--file", str(file))
        self.source = hub.cli(self.database, *add, "--start", "2026-01-01")[0]["id"]
        self.start()

    def start(self):
        self.server = hub.Server(self.database, self.folder / "serve.log", env={"TRIBUTARY_ALLOW_OUTBOUND": "127.0.0.1"})

    def poll(self):
        """Has all that there is by now fetched."""
        done = "SELECT COUNT(*) FROM windows WHERE done_at IS NOT NULL"
        before = int(rows(self.database, done)[0][0])
        time.sleep(1.1)
        hub.cli(self.database, "source", "run", "--id", self.source)
        until = time.monotonic() + 120
        while time.monotonic() < until:
            undone = int(rows(self.database, "SELECT COUNT(*) FROM windows WHERE done_at IS NULL")[0][0])
            if int(rows(self.database, done)[0][0]) > before and not undone:
                return
            time.sleep(0.2)
        shown = hub.cli(self.database, "source", "show", "--id", self.source)
        raise hub.Failed(f"the source does not come to its end: {json.dumps(shown)[:2000]}")

    def stored(self):
        return [json.loads(payload) for (payload,) in rows(self.database, "SELECT payload FROM events")]

    def judge(self, report, there, identity):
        """What is stored against what is there: `identity` tells a version of a record from all others."""
        stored = [identity(one) for one in self.stored()]
        missing = {identity(one) for one in there} - set(stored)
        report.check(f"all {len(there)} records are stored as they are now", not missing, f"{len(missing)}: {sorted(missing)[:3]}")
        report.check(f"no version is stored twice ({len(stored)} events)", len(stored) == len(set(stored)))
        ledger = hub.cli(self.database, "source", "ledger", "--id", self.source)
        holes = [(a["to"], b["from"]) for a, b in zip(ledger, ledger[1:]) if a["to"] != b["from"]]
        report.check(f"the ledger tiles ({len(ledger)} windows)", not holes, str(holes[:3]))

    def close(self):
        self.server.stop()


def get(url, headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        return json.loads(answer.read())


def wait_for(url, headers, seconds=120):
    until = time.monotonic() + seconds
    while True:
        try:
            return get(url, headers)
        except OSError as error:
            if time.monotonic() > until:
                raise hub.Failed(f"{url} does not answer: {error}") from error
            time.sleep(0.5)


# --- pretix ------------------------------------------------------------------------------------------------------

FILL = """
import os, random, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pretix.settings")
import django
django.setup()
from datetime import timedelta
from decimal import Decimal
from django.utils.timezone import now
from django_scopes import scopes_disabled
from pretix.base.models import Event, Order, Organizer, Team
what, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
with scopes_disabled():
    host, _ = Organizer.objects.get_or_create(name="Acme", slug="acme")
    event, new = Event.objects.get_or_create(
        organizer=host, slug="fair", defaults={"name": "Fair", "date_from": now() + timedelta(days=30), "currency": "EUR", "live": True})
    if what == "token":
        team = Team.objects.create(organizer=host, name="Hub", all_events=True, all_event_permissions=True)
        print(team.tokens.create(name="Tributary").token)
    if what == "add":
        channel = host.sales_channels.get(identifier="web")
        for n in range(count):
            Order.objects.create(
                event=event, email=f"person{n}@example.com", status="n", datetime=now(), expires=now() + timedelta(days=9),
                total=Decimal(chance.randrange(500, 9900)) / 100, locale="en", sales_channel=channel)
    if what == "change":
        for order in chance.sample(list(Order.objects.filter(event=event)), count):
            order.status = chance.choice("npec")
            order.comment = f"changed {chance.random()}"
            order.save()
"""


def pretix(options, report):
    """pretix: orders by `modified_since`, pages by their `next`, `Authorization: Token`."""
    home = OUT / "pretix"
    env = {**os.environ, "PRETIX_CONFIG_FILE": str(home / "pretix.cfg")}
    python = home / "bin/python"

    def run(what, count=0, seed=0):
        done = subprocess.run([python, "-c", FILL, what, str(count), str(seed)], env=env, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise hub.Failed(f"pretix {what}: {done.stderr[-800:]}")
        return done.stdout.strip()

    token = run("token").splitlines()[-1]
    run("add", 130, 1)
    command = [python, "-m", "pretix", "runserver", "--noreload", f"127.0.0.1:{options.port}"]
    system = subprocess.Popen(command, env=env, stdout=open(home / "server.log", "ab"), stderr=subprocess.STDOUT)
    base = f"http://127.0.0.1:{options.port}/api/v1/organizers/acme/events/fair/orders/"
    headers = {"Authorization": f"Token {token}"}
    try:
        wait_for(base, headers)
        room = Room("pretix", {
            "name": "pretix orders",
            "url": base,
            "authentication": {"kind": "header", "name": "Authorization", "prefix": "Token "},
            "token": token,
            "parameters": {"ordering": "last_modified"},
            "window": {"kind": "sinceOnly", "parameters": {"modified_since": "{from}"}, "precision": "milliseconds"},
            "schedule": {"everyMinutes": 1, "settleSeconds": 0, "lookbackMinutes": 1},
            "records": "$.results",
            "pages": {"kind": "nextInBody", "path": "$.next"},
            "recordId": ["/code"],
            "version": "/last_modified",
            "recordTime": {"pointer": "/last_modified"},
        })
        try:
            room.poll()
            for seed in range(3):
                run("change", 25, seed)
                run("add", 10, seed)
                if seed == 1:
                    room.server.kill()
                    room.start()
                room.poll()
            there, address = [], base
            while address:
                page = get(address, headers)
                there += page["results"]
                address = page["next"]
            room.judge(report, there, lambda order: (order["code"], order["last_modified"]))
            report.check("there are as many orders as were made", len({order["code"] for order in room.stored()}) == 160 == len(there), str(len(there)))
        finally:
            room.close()
    finally:
        system.send_signal(signal.SIGTERM)
        system.wait(30)


# --- Redmine -----------------------------------------------------------------------------------------------------


class Redmine:
    def __init__(self, port, key):
        self.port, self.key = port, key

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"X-Redmine-API-Key": self.key, "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise hub.Failed(f"{method} {path} was answered {answer.status}: {text[:300]}")
        return json.loads(text) if text.strip() else {}


def redmine(options, report):
    """Redmine: issues by a range of `updated_on`, pages by offset, `X-Redmine-API-Key`."""
    system = Redmine(options.port, options.key)
    wait_for(f"http://127.0.0.1:{options.port}/issues.json", {"X-Redmine-API-Key": options.key})
    project = system.ask("POST", "/projects.json", {"project": {"name": "Hub", "identifier": f"hub{int(time.time())}"}})["project"]["id"]
    fields = lambda n: {"issue": {"project_id": project, "subject": f"Question {n}", "tracker_id": 1, "status_id": 1, "priority_id": 1}}
    made = [system.ask("POST", "/issues.json", fields(n))["issue"]["id"] for n in range(60)]
    room = Room("redmine", {
        "name": "Redmine issues",
        "url": f"http://127.0.0.1:{options.port}/issues.json",
        "authentication": {"kind": "header", "name": "X-Redmine-API-Key"},
        "token": options.key,
        "parameters": {"status_id": "*", "sort": "updated_on"},
        "window": {
            "parameters": {"updated_on": "><{from}|{until}"},
            "fromBound": "inclusive", "untilBound": "inclusive", "precision": "second",
        },
        "schedule": {"everyMinutes": 1, "settleSeconds": 0, "lookbackMinutes": 1},
        "records": "$.issues",
        "pages": {"kind": "offset", "parameter": "offset", "size": {"parameter": "limit", "value": 25}},
        "recordId": ["/id"],
        "version": "/updated_on",
        "recordTime": {"pointer": "/updated_on"},
    })
    try:
        room.poll()
        for turn in range(3):
            # it tells moments apart by seconds: what changes twice in one is one version
            time.sleep(1.1)
            for issue in made[turn * 7 :: 5]:
                system.ask("PUT", f"/issues/{issue}.json", {"issue": {"subject": f"Changed in turn {turn}"}})
            made += [system.ask("POST", "/issues.json", fields(n))["issue"]["id"] for n in range(5)]
            if turn == 1:
                room.server.kill()
                room.start()
            room.poll()
        there, offset = [], 0
        while page := system.ask("GET", f"/issues.json?status_id=*&limit=100&offset={offset}")["issues"]:
            there += page
            offset += len(page)
        room.judge(report, there, lambda issue: (issue["id"], issue["updated_on"]))
        report.check("there are as many issues as were made", len({issue["id"] for issue in room.stored()}) == len(there), str(len(there)))
    finally:
        room.close()


SYSTEMS = {"pretix": pretix, "redmine": redmine}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--port", type=int, required=True, help="of the system, on 127.0.0.1")
    parser.add_argument("--key", help="Redmine: of an administrator")
    options = parser.parse_args()
    report = Report()
    print(f"--- {SYSTEMS[options.system].__doc__}", flush=True)
    try:
        SYSTEMS[options.system](options, report)
    except (hub.Failed, subprocess.SubprocessError, OSError) as error:
        report.check("it came to its end", False, str(error))
    print(f"  {'passed' if not report.failed else f'{report.failed} failed'}", flush=True)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
