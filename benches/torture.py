"""Kills the server, takes its power away, fails its syncs and fills its disk, all under load; then looks for events
that were acknowledged and are not there. `scripts/torture --help` says how to call it."""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import hub
from clients import Load, compare, compare_counts, rows, settle
from vendor import Vendor

SHIM = hub.ROOT / "target/torture/power_loss.so"

CONTRACT = {
    "type": "object",
    "properties": {"marker": {"type": "string"}, "n": {"type": "integer"}},
    "required": ["marker", "n"],
}


class Report:
    """What was checked; a line each, and a closing line in the manner of test runners."""

    def __init__(self, part):
        self.passed = self.failed = 0
        self.began = time.monotonic()
        print(f"\n--- {part}", flush=True)

    def check(self, what, good, otherwise=""):
        self.passed += bool(good)
        self.failed += not good
        print(f"    {'ok    ' if good else 'FAILED'}  {what}{'' if good or not otherwise else ': ' + otherwise}", flush=True)

    def note(self, text):
        print(f"    {text}", flush=True)

    def close(self):
        print(f"  {self.passed} passed, {self.failed} failed ({time.monotonic() - self.began:.0f} s)", flush=True)


class Room:
    """A folder, a database in it, a tenant, and clients at work."""

    def __init__(self, name, options, database=None, folder=None):
        self.folder = folder or hub.ROOT / "target/torture" / name
        if not folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
        self.chance = random.Random(options.seed)
        self.database = database or f"sqlite://{self.folder / 'data' / 'tributary.db'}"
        self.log = hub.ROOT / f"target/torture/{name}.log"
        self.log.unlink(missing_ok=True)
        self.tenant = hub.Tenant(self.database, hub.ROOT / "target/torture", CONTRACT)
        self.load = Load(self.tenant, options.seed)

    def start(self, **options):
        return hub.Server(self.database, self.log, **options)

    def judge(self, report, server):
        """The end of a part: at rest, all that was promised has to be there."""
        self.load.finish(server.port)
        quarantined = compare(report, self.load, self.database)
        report.check("all batches are worked off", settle(self.database))
        code = server.stop()
        report.check("the server ends in order when asked to", code == 0, f"exit code {code}; see {self.log}")
        compare_counts(report, self.database)
        stored = rows(self.database, "SELECT COUNT(*) FROM events WHERE verdict = 'quarantined'")
        report.check("the quarantine holds what broke its contract", stored == [(str(quarantined),)], f"{stored}")
        if self.database.startswith("sqlite:"):
            state = rows(self.database, "PRAGMA integrity_check")
            report.check("the database is whole", state == [("ok",)], str(state[:3]))
        panics = [line for line in self.log.read_text(errors="replace").splitlines() if "panicked" in line]
        report.check("nothing panicked", not panics, f"{panics[:1]}")


# --- kill -9 -----------------------------------------------------------------------------------------------------


def kills(options, report):
    """SQLite: one process, killed at random moments, sometimes while it starts."""
    room = Room("kills", options)
    stopped = []
    for number in range(options.kills):
        if number % 8 == 7:
            starting = room.start(ready_within=0)
            time.sleep(room.chance.uniform(0, 0.1))
            starting.kill()
        server = room.start()
        room.load.ports = [server.port]
        time.sleep(room.chance.uniform(0.02, 0.5))
        if number % 10 == 9:
            stopped.append(server.stop(within=10))
            server = room.start()
            room.load.ports = [server.port]
            time.sleep(room.chance.uniform(0.02, 0.1))
        server.kill()
        progress(number, options.kills, "kills")
    report.check("asked to end under load, it ends in order within 10 s", set(stopped) <= {0}, str(stopped))
    room.judge(report, room.start())


def postgres(options, report):
    """PostgreSQL: two processes, each killed while the other goes on."""
    database = os.environ.get("TEST_POSTGRES_URL")
    if not database:
        raise hub.Failed("TEST_POSTGRES_URL is not set: scripts/torture starts a cluster and sets it")
    fsync = rows(database, "SHOW fsync") + rows(database, "SHOW synchronous_commit")
    report.check("the cluster syncs", fsync == [("on",), ("on",)], str(fsync))
    careless = database + ("&" if "?" in database else "?") + "options=-c%20synchronous_commit%3Doff"
    refused = subprocess.run([hub.BINARY, "migrate", "--database-url", careless], capture_output=True, text=True)
    report.check(
        "synchronous_commit = off is refused",
        refused.returncode == 1 and "synchronous_commit" in refused.stderr,
        f"exit code {refused.returncode}: {refused.stderr[-200:]}",
    )
    room = Room("postgres", options, database)
    servers = [room.start(), room.start()]
    for number in range(options.kills):
        room.load.ports = [server.port for server in servers]
        time.sleep(room.chance.uniform(0.02, 0.5))
        at = room.chance.randrange(2)
        servers[at].kill()
        if number % 5 == 4:
            servers[1 - at].kill()
            servers[1 - at] = room.start()
        servers[at] = room.start()
        progress(number, options.kills, "kills")
    servers.pop().kill()
    room.judge(report, servers[0])


# --- what was not synced -----------------------------------------------------------------------------------------


class Power:
    """The shim of `power_loss.c`, and the orders that it takes."""

    def __init__(self, folder, watched):
        self.control, self.log = folder / "control", folder / "power.log"
        os.mkfifo(self.control)
        self.log.touch()
        self.env = {
            "LD_PRELOAD": str(SHIM),
            "POWER_LOSS_FOLDER": str(watched),
            "POWER_LOSS_CONTROL": str(self.control),
            "POWER_LOSS_LOG": str(self.log),
            "POWER_LOSS_STATE": str(folder / "state"),
        }

    def order(self, letters):
        """False when nobody is there to obey."""
        try:
            to = os.open(self.control, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            os.write(to, letters.encode())
        finally:
            os.close(to)
        return True

    def said(self, pattern):
        return re.findall(pattern, self.log.read_text())

    def off(self, server, order):
        """Takes the power of a running server away (n, s), or kills it and remembers what it had not synced (k)."""
        if not self.order(order):
            ended = "takes no orders: is it linked statically?" if server.alive else f"ended with {server.process.wait()}"
            raise hub.Failed(f"the server {ended}")
        server.process.wait(30)


def proof(report):
    """That the shim bites: a careless program loses under it what a careful one keeps."""
    folder = hub.ROOT / "target/torture/proof"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    power = Power(folder, folder / "data")
    writer = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('PRAGMA journal_mode = WAL'); db.execute('PRAGMA synchronous = FULL'); db.execute('CREATE TABLE t (n)')
db.execute('PRAGMA synchronous = ' + sys.argv[2])
for n in range(100): db.execute('INSERT INTO t VALUES (?)', (n,))
control = os.open(os.environ['POWER_LOSS_CONTROL'], os.O_WRONLY); os.write(control, b'n')
import time; time.sleep(30)
"""
    for synchronous, kept in (("OFF", False), ("FULL", True)):
        path = folder / "data" / f"{synchronous}.db"
        ended = subprocess.run([sys.executable, "-c", writer, path, synchronous], env={**os.environ, **power.env}, timeout=60)
        count = int(rows(f"sqlite://{path}", "SELECT COUNT(*) FROM t")[0][0])
        what = f"synchronous = {synchronous} {'keeps' if kept else 'loses'} 100 commits when the power goes"
        report.check(what, ended.returncode == -signal.SIGKILL and (count == 100) == kept, f"{count} rows, {ended.returncode}")
    retry = """
import os, sys, time
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); folder = os.open(os.path.dirname(sys.argv[1]), os.O_RDONLY)
os.pwrite(file, b'A' * 9000, 0); os.fsync(file); os.fsync(folder)
os.pwrite(file, b'B' * 9000, 0)
control = os.open(os.environ['POWER_LOSS_CONTROL'], os.O_WRONLY); os.write(control, b'e'); time.sleep(0.2)
try: os.fsync(file); print('no error')
except OSError as error: print(error.errno)
os.fsync(file); os.write(control, b'n'); time.sleep(30)
"""
    path = folder / "data" / "file"
    ended = subprocess.run(
        [sys.executable, "-c", "import sys; sys.stdout.reconfigure(line_buffering=True)\n" + retry, path],
        env={**os.environ, **power.env}, timeout=60, capture_output=True, text=True,
    )
    lost = ended.stdout == "5\n" and path.read_bytes() == b"A" * 9000
    report.check("a sync that failed and is tried again has saved nothing", lost, f"{ended.stdout} {ended.stderr}")


def left_behind(report):
    """What a killed process wrote and did not sync is read by the next one, which has to sync it before it builds on
    it: the log after a failed sync, step by step."""
    folder = hub.ROOT / "target/torture/left-behind"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    database = f"sqlite://{folder / 'data' / 'tributary.db'}"
    tenant, power = hub.Tenant(database, folder, CONTRACT), Power(folder, folder / "data")

    def send(server, marker, key=None):
        connection = hub.Connection(server.port, timeout=5)
        try:
            headers = [("Idempotency-Key", key)] if key else []
            body = json.dumps({"marker": marker, "n": 1}).encode()
            status, _, body = connection.post(tenant.path(tenant.plain), tenant.token, body, headers)
            return status, json.loads(body).get("accepted")
        except OSError:
            return None
        finally:
            connection.close()

    def start():
        return hub.Server(database, folder / "log", env=power.env)

    server = start()
    steps = [send(server, "first")]
    time.sleep(2)  # what follows the first commit is done: the next sync is ours
    power.order("e")
    time.sleep(0.1)
    steps.append(send(server, "failed"))
    power.off(server, "k")
    server = start()
    steps.append(send(server, "built-upon", "key"))
    power.off(server, "n")
    server = start()
    steps.append(send(server, "built-upon", "key"))
    server.kill()
    good = [step and step[0] for step in steps[:3]] == [201, 503, 201] and steps[3] == (201, 0)
    report.check("a log whose sync failed is not built upon by the next process", good, str(steps))


def power_loss(options, report):
    """SQLite: the power goes at random moments; what was not synced is lost, or part of it."""
    proof(report)
    left_behind(report)
    room = Room("power-loss", options)
    power = Power(room.folder, room.folder / "data")
    for number in range(options.losses):
        server = room.start(env=power.env)
        room.load.ports = [server.port]
        # the shortest: what a killed process left, and the next one has seen but not synced, goes with the power
        time.sleep(room.chance.choice((room.chance.uniform(0.02, 0.6), room.chance.uniform(0, 0.02))))
        power.off(server, room.chance.choice("nsk"))
        progress(number, options.losses, "power losses")
    lost = sum(map(int, power.said(r"power lost: (\d+)")))
    report.check("pages were lost each time and again", lost > 0, f"{lost} pages")
    report.note(f"{lost} pages lost or torn in {len(power.said('power lost'))} power losses, {len(power.said('killed'))} kills between")
    room.judge(report, room.start(env=power.env))


def sync_error(options, report):
    """SQLite: syncs fail now and then; the server says 503 and goes on by itself. At times the power goes after it."""
    room = Room("sync-error", options)
    power = Power(room.folder, room.folder / "data")
    recovered, died, server = 0, 0, None
    for number in range(options.errors):
        server = server or room.start(env=power.env)
        room.load.ports = [server.port]
        time.sleep(room.chance.uniform(0.05, 0.4))
        # of the log mostly; of the database, which only checkpoints sync; and two in a row
        order = room.chance.choice(("e", "e", "ee", "eee", "d", "ed"))
        failed = len(power.said("sync failed"))
        power.order(order)
        until = time.monotonic() + 10
        while "e" in order and len(power.said("sync failed")) == failed and time.monotonic() < until:
            time.sleep(0.005)
        if room.chance.random() < 0.3:
            time.sleep(room.chance.uniform(0, 0.05))
        else:
            recovered += room.load.wait_for_more(20)
        died += not server.alive
        if room.chance.random() < 0.6 and server.alive:
            power.off(server, room.chance.choice("nskk"))
        if not server.alive:
            server = None
        progress(number, options.errors, "failing syncs")
    failed = power.said(r"sync failed: (\S+)")
    report.note(f"{len(failed)} syncs failed, {sum(1 for path in failed if path.endswith('-wal'))} of them of the log")
    report.check("syncs failed as ordered", len(failed) >= options.errors // 2, str(len(failed)))
    report.check("those who waited were told", room.load.answers[503] > 0)
    report.check("the server stayed up", died == 0, f"it ended {died} times")
    report.check("it went on by itself", recovered > 0)
    room.judge(report, server or room.start(env=power.env))


# --- no room -----------------------------------------------------------------------------------------------------


def disk_full(options, report):
    """SQLite on a small file system that fills up, gets room again, fills up again, and is killed while full."""
    if os.geteuid() != 0:
        report.note("skipped: only root can mount the small file system that this part fills")
        return
    folder = hub.ROOT / "target/torture/full"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["umount", folder], capture_output=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=18m", "tmpfs", folder]).returncode != 0:
        report.note("skipped: the small file system cannot be mounted here")
        return
    try:
        fill_up(options, report, folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=False)


def fill_up(options, report, folder):
    ballast = [folder / f"ballast{number}" for number in range(options.fills + 1)]
    for file in ballast:
        file.write_bytes(bytes((6 << 20) // len(ballast)))
    room = Room("full", options, folder=folder)
    server = room.start()
    room.load.ports = [server.port]
    for number in range(options.fills):
        full = wait_until_full(room.load)
        report.check(f"full ({number + 1}): 503", full, str(dict(room.load.answers)))
        time.sleep(1)
        report.check(f"full ({number + 1}): the server stays up", server.alive)
        ballast[number].unlink()
        report.check(f"room again ({number + 1}): it goes on by itself", room.load.wait_for_more(15))
    report.check("full for the last time: 503", wait_until_full(room.load))
    server.kill()
    room.load.ports = []
    starting = room.start(ready_within=0)
    up = starting.wait_until_ready(20)
    report.note(f"started while the disk is full: {'it serves' if up else 'it refuses'}")
    if up:
        room.load.ports = [starting.port]
        time.sleep(0.5)
    report.check("started while the disk is full: no crash", (starting.process.poll() or 0) in (0, 1))
    ballast[-1].unlink()
    if not starting.alive:
        starting = room.start()
        room.load.ports = [starting.port]
    report.check("room again: it goes on", room.load.wait_for_more(15))
    room.judge(report, starting)


def wait_until_full(load, seconds=180.0):
    """Until nothing but 503 is answered for a moment."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = load.answers.copy()
        time.sleep(0.3)
        if load.answers[503] > before[503] and load.answers[201] == before[201]:
            return True
    return False


# --- polling -----------------------------------------------------------------------------------------------------


def polling(options, report):
    """SQLite: one process that polls, killed at random moments; nothing may be lost, doubled or left out."""
    poll(options, report, "polling", None, 1)


def polling_postgres(options, report):
    """PostgreSQL: two processes that poll, each killed while the other goes on."""
    database = os.environ.get("TEST_POSTGRES_URL")
    if not database:
        raise hub.Failed("TEST_POSTGRES_URL is not set: scripts/torture starts a cluster and sets it")
    poll(options, report, "polling-postgres", database, 2)


def poll(options, report, name, database, processes):
    room = Room(name, options, database)
    sources, hours = 12, 24
    vendor = Vendor(options.seed, 3000, hours)
    key = room.folder / "key"
    key.write_text("A" * 43 + "\n")
    ids = {}
    for number in range(sources):
        called = f"s{number}"
        file = room.folder / f"{called}.json"
        file.write_text(json.dumps(vendor.source(called)))
        add = ("source", "add", "--tenant", room.tenant.id, "--event-type", room.tenant.plain, "--file", str(file))
        ids[called] = hub.cli(room.database, *add)[0]["id"]
        day = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(vendor.start // 1000 - 3600))
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ")
        hub.cli(room.database, "source", "backfill", "--id", ids[called], "--from", day, "--until", now, "--slice", "10m")
    hub.cli(room.database, "source", "limit", "--id", ids["s0"], "--slots", "200")
    start = lambda: room.start(env={"TRIBUTARY_ALLOW_OUTBOUND": "127.0.0.1", "TRIBUTARY_KEY_FILE": str(key)})
    servers = [start() for _ in range(processes)]
    killed = 0
    for number in range(options.kills):
        # with two, the dead one's windows wait for their leases while the other goes on
        time.sleep(room.chance.uniform(0.1, 0.7 * processes))
        at = room.chance.randrange(processes)
        servers[at].kill()
        killed += 1
        servers[at] = start()
        if number % 10 == 0:
            for called in ids:
                hub.cli(room.database, "source", "run", "--id", ids[called])
        progress(number, options.kills, "kills")
    # the parts on PostgreSQL share one database; SQLite keeps ids as bytes
    own = room.tenant.id
    mine = f"tenant_id = '{own}'" if database else f"tenant_id = X'{own.replace('-', '')}'"
    left = f"SELECT COUNT(*) FROM windows WHERE done_at IS NULL AND {mine}"
    undone = int(rows(room.database, left)[0][0])
    report.note(f"{killed} kills while {vendor.asked} requests were made; {undone} windows left for the end")
    until = time.monotonic() + 300
    while int(rows(room.database, left)[0][0]) and time.monotonic() < until:
        time.sleep(0.5)
    report.check("all windows are done", rows(room.database, left) == [("0",)], str(rows(room.database, left)))
    stored = [json.loads(payload)["marker"] for (payload,) in rows(room.database, f"SELECT payload FROM events WHERE {mine}")]
    expected = {f"{called}-{n}" for called in ids for n, _ in vendor.records}
    lost = expected - set(stored)
    report.check("nothing is lost", not lost, f"{len(lost)} of {len(expected)}: {sorted(lost)[:5]}")
    report.check("nothing is there twice", len(stored) == len(set(stored)), f"{len(stored) - len(set(stored))} of {len(stored)}")
    report.check("nothing is there that is not theirs", set(stored) <= expected)
    for called, id in ids.items():
        ledger = hub.cli(room.database, "source", "ledger", "--id", id)
        holes = [(a["to"], b["from"]) for a, b in zip(ledger, ledger[1:]) if a["to"] != b["from"]]
        report.check(f"the ledger of {called} tiles: {len(ledger)} windows", not holes and len(ledger) > 100, str(holes[:3]))
        sums = sum(row["records"] - row["new"] - row["duplicates"] - row["quarantined"] for row in ledger)
        report.check(f"the figures of {called} agree", sums == 0 and sum(row["new"] for row in ledger) == 3000, str(sums))
    codes = [server.stop() for server in servers]
    report.check("the servers end in order when asked to", set(codes) == {0}, str(codes))
    panics = [line for line in room.log.read_text(errors="replace").splitlines() if "panicked" in line]
    report.check("nothing panicked", not panics, f"{panics[:1]}")
    vendor.close()


# --- the command line --------------------------------------------------------------------------------------------

PARTS = {
    "kills": kills, "power-loss": power_loss, "sync-error": sync_error, "disk-full": disk_full, "postgres": postgres,
    "polling": polling, "polling-postgres": polling_postgres,
}


def progress(number, of, what):
    if (number + 1) % max(1, of // 5) == 0:
        print(f"    {number + 1} of {of} {what}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="how often to kill (200); the other parts follow it")
    for part in PARTS:
        if part != "kills":
            parser.add_argument(f"--{part}", action="store_true", help=f"only this part: {PARTS[part].__doc__.splitlines()[0]}")
    parser.add_argument("--only-kills", action="store_true", help="only the kills on SQLite")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="of the moments and the requests; not of the machine's own timing")
    options = parser.parse_args()
    options.losses = max(4, options.kills // 2)
    options.errors = max(6, options.kills // 2)
    options.fills = 1 if options.kills < 50 else 3
    chosen = [part for part in PARTS if getattr(options, part.replace("-", "_"), False) is True]
    if options.only_kills:
        chosen.insert(0, "kills")
    print(f"seed {options.seed}; logs in target/torture/")
    failed = 0
    for part in chosen or PARTS:
        report = Report(part)
        try:
            PARTS[part](options, report)
        except (hub.Failed, subprocess.SubprocessError, OSError) as error:
            report.check(f"the {part} part came to its end", False, str(error))
        report.close()
        failed += report.failed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
