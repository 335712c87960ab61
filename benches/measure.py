"""Measures the front door. `scripts/bench --help` says how to call it, benches/README.md how to read it.

The server, its load and the disk share one machine: every figure is one of both together, and most are given as
ratios of two things measured in turns."""

import argparse
import datetime
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import finding
import hub
import polling

BENCHES = hub.ROOT / "benches"
OUT = hub.ROOT / "target/bench"
LOAD = hub.ROOT / "target/release/load"
BARE = hub.ROOT / "target/release/bare"
FIGURES = hub.ROOT / "docs/figures.md"

EVENT = (
    '{"marker":"MARKER","n":1042,"Email Address":"jane.doe@example.com","First Name":"Jane",'
    '"Last Name":"Berg","Order":"SO-2291","Amount":129.95,"Currency":"EUR","Newsletter":true}'
)
SCHEMA = {
    "type": "object",
    "properties": {
        "marker": {"type": "string", "maxLength": 64},
        "n": {"type": "integer"},
        "Email Address": {"type": "string", "maxLength": 254},
        "First Name": {"type": "string"},
        "Last Name": {"type": "string"},
        "Order": {"type": "string"},
        "Amount": {"type": "number", "minimum": 0},
        "Currency": {"enum": ["EUR", "GBP", "USD"]},
        "Newsletter": {"type": "boolean"},
    },
    "required": ["marker", "n", "Email Address"],
}
FIXED = EVENT.replace("MARKER", "order-000000000001-00001")
BODIES = {"one": FIXED, "marked": EVENT, "thousand": "[" + ",".join([FIXED] * 1000) + "]"}


class Bench:
    """What all measurements share: the options, the results so far."""

    def __init__(self, options):
        self.options = options
        self.results = {}
        self.runs = 0
        OUT.mkdir(parents=True, exist_ok=True)
        for name, text in BODIES.items():
            (OUT / f"{name}.json-body").write_text(text)

    def wrk(self, server, tenant, path, connections, body="one", each="", seconds=None):
        """A closed loop: each connection sends its next request when the last one is answered."""
        self.runs += 1
        threads = min(self.options.wrk_threads, connections)
        command = ["wrk", "-t", threads, "-c", connections, "-d", f"{max(1, round(seconds or self.options.seconds))}s", "--timeout", "30s"]
        command += ["-s", BENCHES / "wrk.lua", f"http://127.0.0.1:{server.port}{path}"]
        run = f"{os.getpid()}{self.runs:03}"[-10:]
        env = {"BENCH_TOKEN": tenant.token, "BENCH_BODY": str(OUT / f"{body}.json-body"), "BENCH_EACH": each, "BENCH_RUN": run}
        done = subprocess.run([*map(str, command)], env={**os.environ, **env}, capture_output=True, text=True, timeout=900)
        said = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if not said:
            raise hub.Failed(f"wrk said: {done.stdout[-300:]} {done.stderr[-300:]}")
        result = json.loads(said[-1])
        result["per_second"] = (result["requests"] - result["refused"]) / result["seconds"]
        return result

    def open_loop(self, server, tenant, path, connections, rate, body="one", seconds=None, warm_up=1.0):
        """An open loop: requests leave at a fixed rate; latencies count from when they should have left."""
        command = [LOAD, server.port, path, tenant.token, OUT / f"{body}.json-body", connections, f"{rate:.3f}"]
        command += [seconds or self.options.seconds, warm_up]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            raise hub.Failed(f"the open-loop generator said: {done.stderr[-300:]}")
        return json.loads(done.stdout)

    def in_turns(self, one, other, rounds=None):
        """A B A B …: returns the results of both, after one of each that does not count."""
        one(self.options.warm_up), other(self.options.warm_up)
        ones, others = [], []
        for number in range(rounds or self.options.rounds):
            ones.append(one(None))
            others.append(other(None))
            print(f"    round {number + 1}: {ones[-1]['per_second']:,.0f} and {others[-1]['per_second']:,.0f} /s", flush=True)
        return ones, others

    def keep(self, name, **values):
        self.results[name] = values
        (OUT / f"{name}.json").write_text(json.dumps({"machine": self.options.machine, name: values}, indent=1) + "\n")


class Room:
    """A database, a server on it, a tenant with its types."""

    def __init__(self, name, postgres=None, fill=0, arguments=()):
        self.folder = OUT / "data" / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.database = postgres or f"sqlite://{self.folder / 'tributary.db'}"
        self.tenant = hub.Tenant(self.database, self.folder, SCHEMA)
        if fill:
            self.bare(self.tenant.plain, 20_000, fill)
        self.server = hub.Server(self.database, OUT / f"{name}.log", *arguments)

    def bare(self, event_type, batch, amount):
        """The statement of the lane in a loop, on this database."""
        command = [BARE, self.database, self.tenant.id, event_type, OUT / "one.json-body", batch, amount]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=3600)
        if done.returncode != 0:
            raise hub.Failed(f"filling the database: {done.stderr[-300:]}")
        result = json.loads(done.stdout)
        result["per_second"] = result["events"] / result["seconds"]
        return result

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def spread(results, of="per_second"):
    values = sorted(result[of] for result in results)
    return {"min": values[0], "median": statistics.median(values), "max": values[-1]}


def pair(null, real, memory, target=None, aim=None, unit="requests/s", times=1):
    """The figures of two things measured in turns. The ratio is the median of the rounds' own ratios."""
    if not all(result["per_second"] for result in null):
        raise hub.Failed("nothing was answered in one of the rounds: is the machine this busy?")
    ratios = [there["per_second"] / here["per_second"] for here, there in zip(null, real)]
    scaled = lambda results: {key: value * times for key, value in spread(results).items()}
    return {
        "unit": unit,
        "null": scaled(null),
        "real": scaled(real),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "target": target,
        "aim": aim,
        "p50_ms": statistics.median(result.get("p50_us", 0) for result in real) / 1000,
        "p99_ms": statistics.median(result.get("p99_us", 0) for result in real) / 1000,
        "refused": sum(result.get("refused", 0) for result in real),
        "broken": sum(result.get("broken", 0) for result in [*null, *real]),
        "peak_memory": memory,
    }


# --- scenarios ---------------------------------------------------------------------------------------------------


def against_dry_run(bench, name, connections, event_type="plain", body="one", each="", target=None, aim=None, postgres=None):
    """The real route against the dry run of the same server."""
    with Room(name, postgres) as room:
        of = getattr(room.tenant, event_type)

        def run(dry):
            path = room.tenant.path(of, dry)
            return lambda seconds: bench.wrk(room.server, room.tenant, path, connections, body, each, seconds)

        null, real = bench.in_turns(run(True), run(False))
        times = 1000 if body == "thousand" else 1
        unit = "events/s" if times > 1 else "requests/s"
        bench.keep(name, **pair(null, real, room.server.peak_memory(), target, aim, unit, times))


def single_64(bench):
    """one event a request, 64 connections"""
    against_dry_run(bench, "single-64", 64, target=0.45, aim=0.60)


def single_256(bench):
    """one event a request, 256 connections"""
    against_dry_run(bench, "single-256", 256, target=0.55, aim=0.75)


def any_64(bench):
    """one event a request of a type whose contract takes anything, 64 connections"""
    against_dry_run(bench, "any-64", 64, "anything")


def key_64(bench):
    """one event a request with its own Idempotency-Key, 64 connections"""
    against_dry_run(bench, "key-64", 64, each="key")


def unique_64(bench):
    """one event a request with a unique value, 64 connections"""
    against_dry_run(bench, "unique-64", 64, "unique", "marked", "unique")


def key_256(bench):
    """one event a request with its own Idempotency-Key, 256 connections"""
    against_dry_run(bench, "key-256", 256, each="key")


def unique_256(bench):
    """one event a request with a unique value, 256 connections"""
    against_dry_run(bench, "unique-256", 256, "unique", "marked", "unique")


def batch(bench):
    """1,000 events a request against a bare loop of the lane's statement"""
    with Room("batch") as room:

        def bare(events):
            def run(seconds):
                with Room.__new__(Room) as alone:
                    alone.folder = OUT / "data" / "bare"
                    shutil.rmtree(alone.folder, ignore_errors=True)
                    alone.folder.mkdir(parents=True)
                    alone.database = f"sqlite://{alone.folder / 'bare.db'}"
                    alone.tenant, alone.server = room.tenant, Nobody()
                    return alone.bare(room.tenant.plain, events, f"{seconds or bench.options.seconds}s")

            return run

        path = room.tenant.path(room.tenant.plain)

        def served(seconds):
            result = bench.wrk(room.server, room.tenant, path, 32, "thousand", seconds=seconds)
            return {**result, "per_second": result["per_second"] * 1000}

        # 20,000 are what the lane puts into one commit when many such requests wait, so the stricter comparison
        small = [bare(1000)(None) for _ in range(max(1, bench.options.rounds // 2))]
        null, real = bench.in_turns(bare(20_000), served)
        values = pair(null, real, room.server.peak_memory(), target=0.5, unit="events/s")
        values["bare_1000"] = spread(small)
        bench.keep("batch", **values)


class Nobody:
    """In place of a server."""

    def stop(self):
        return 0


def stored(bench):
    """the rate with millions of events stored against the rate with 10,000"""
    few, many = 10_000, bench.options.stored
    print(f"    storing {many:,} events", flush=True)
    with Room("stored-many", fill=many) as full:

        def run(room):
            path = room.tenant.path(room.tenant.plain)
            return lambda seconds: bench.wrk(room.server, room.tenant, path, 64, seconds=seconds)

        def fresh(seconds):
            # each time anew: after some seconds of load it would hold far more than 10,000
            with Room("stored-few", fill=few) as room:
                run(room)(bench.options.warm_up)
                return run(room)(seconds)

        def warm(seconds):
            run(full)(bench.options.warm_up)
            return run(full)(seconds)

        null, real = bench.in_turns(fresh, warm)
        size = sum(file.stat().st_size for file in full.folder.iterdir())
        bench.keep("stored", events=many, bytes=size, **pair(null, real, full.server.peak_memory(), target=0.9))


def latency(bench, name="latency", postgres=None):
    """latencies at half of the peak load, open loop"""
    with Room(name, postgres) as room:
        path = room.tenant.path(room.tenant.plain)
        bench.wrk(room.server, room.tenant, path, 64, seconds=bench.options.warm_up)
        peak = statistics.median(
            bench.wrk(room.server, room.tenant, path, 64)["per_second"] for _ in range(max(1, bench.options.rounds // 2))
        )
        seconds = bench.options.seconds * 3
        runs = [bench.open_loop(room.server, room.tenant, path, 64, peak / 2, seconds=seconds) for _ in range(bench.options.rounds)]
        for run in runs:
            print(f"    p50 {run['p50_us'] / 1000:.2f}, p99 {run['p99_us'] / 1000:.2f}, most {run['max_us'] / 1000:.1f} ms", flush=True)
        bench.keep(
            name,
            peak=peak,
            asked=peak / 2,
            per_second=spread(runs),
            **{f"{of}_ms": {key: value / 1000 for key, value in spread(runs, f"{of}_us").items()} for of in ("p50", "p99", "p999", "max")},
            target_p99_ms=10,
            statuses=[run["statuses"] for run in runs],
            peak_memory=room.server.peak_memory(),
        )


def overload(bench, name="overload", postgres=None):
    """five times as much as can be stored: 1,000 events a request, open loop"""
    with Room(name, postgres) as room:
        path = room.tenant.path(room.tenant.plain)

        def peak(seconds):
            return bench.wrk(room.server, room.tenant, path, 32, "thousand", seconds=seconds)

        capacity = 0.0

        def five_times(seconds):
            nonlocal capacity
            capacity = max(capacity, peak(bench.options.warm_up)["per_second"])
            if not capacity:
                raise hub.Failed("nothing was answered while the peak was looked for: is the machine this busy?")
            # enough connections that the queue fills up: 24 MiB of requests of 250 KB
            return bench.open_loop(room.server, room.tenant, path, 640, 5 * capacity, "thousand", seconds)

        null, real = bench.in_turns(peak, five_times)
        values = pair(null, real, room.server.peak_memory(), target=0.9, unit="events/s", times=1000)
        refused = sum(run["statuses"].get("503", 0) for run in real)
        others = {status: count for run in real for status, count in run["statuses"].items() if status not in ("201", "503")}
        bench.keep(
            name,
            **{**values, "refused": refused},
            without_retry_after=sum(run["refused_without_retry_after"] for run in real),
            never_sent=sum(run["never_sent"] for run in real),
            other_statuses=others,
            asked=5 * capacity * 1000,
        )


def crowd(bench, name="crowd", postgres=None):
    """one event a request from 5,120 connections, five times as many as may wait: closed loop"""
    with Room(name, postgres, arguments=("--max-connections", "8192")) as room:
        path = room.tenant.path(room.tenant.plain)

        def run(connections):
            return lambda seconds: bench.wrk(room.server, room.tenant, path, connections, seconds=seconds)

        null, real = bench.in_turns(run(256), run(5120))
        bench.keep(name, **pair(null, real, room.server.peak_memory()))


def postgres(bench):
    """the same on PostgreSQL"""
    url = os.environ.get("TEST_POSTGRES_URL")
    if not url:
        raise hub.Failed("TEST_POSTGRES_URL is not set: scripts/bench starts a cluster and sets it")
    against_dry_run(bench, "postgres-single-64", 64, postgres=url)
    against_dry_run(bench, "postgres-single-256", 256, postgres=url)
    against_dry_run(bench, "postgres-any-64", 64, "anything", postgres=url)
    against_dry_run(bench, "postgres-key-64", 64, each="key", postgres=url)
    against_dry_run(bench, "postgres-unique-64", 64, "unique", "marked", "unique", postgres=url)
    against_dry_run(bench, "postgres-key-256", 256, each="key", postgres=url)
    against_dry_run(bench, "postgres-unique-256", 256, "unique", "marked", "unique", postgres=url)
    against_dry_run(bench, "postgres-batch", 32, body="thousand", postgres=url)
    latency(bench, "postgres-latency", url)
    overload(bench, "postgres-overload", url)
    crowd(bench, "postgres-crowd", url)


SCENARIOS = {
    "single-64": single_64,
    "single-256": single_256,
    "any-64": any_64,
    "key-64": key_64,
    "unique-64": unique_64,
    "key-256": key_256,
    "unique-256": unique_256,
    "batch": batch,
    "latency": latency,
    "overload": overload,
    "crowd": crowd,
    "stored": stored,
    "postgres": postgres,
    "find": finding.find,
    **polling.SCENARIOS,
}


# --- the machine and the table -----------------------------------------------------------------------------------


def machine():
    """What was measured on."""
    def line(path, pattern):
        try:
            found = re.search(pattern, Path(path).read_text(), re.M)
        except OSError:
            return "unknown"
        return found.group(1).strip() if found else "unknown"

    def said(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else "unknown"

    OUT.mkdir(parents=True, exist_ok=True)
    source = said("findmnt", "-no", "SOURCE,FSTYPE", "--target", str(OUT)).split()
    disk = said("lsblk", "-ndo", "NAME,ROTA,TRAN,MODEL", source[0]) if source else "unknown"
    syncs, probe = [], OUT / "probe"
    with open(probe, "wb", buffering=0) as file:
        for _ in range(200):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            syncs.append(time.perf_counter() - began)
    probe.unlink()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": said("git", "-C", str(hub.ROOT), "describe", "--always", "--dirty"),
        "processor": line("/proc/cpuinfo", r"^model name\s*:\s*(.*)$"),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release(),
        "system": line("/etc/os-release", r'^PRETTY_NAME="(.*)"$'),
        "disk": " ".join(source) + (f" ({' '.join(disk.split())}; name, rotating, bus, model)" if disk != "unknown" else ""),
        "sync_us": {"median": round(statistics.median(syncs) * 1e6), "p99": round(sorted(syncs)[-2] * 1e6)},
        "load_before": os.getloadavg()[0],
    }


def table(bench):
    """The results as Markdown."""
    this = bench.options.machine
    lines = [
        f"Measured on {this['date']} at {this['commit']}: {this['cores']} cores ({this['processor']}), "
        f"{this['memory_gib']} GiB, {this['system']}, Linux {this['kernel']}, disk {this['disk']}; "
        f"a 4 KiB write is synced in {this['sync_us']['median']} µs (median; p99 {this['sync_us']['p99']} µs). "
        f"Load average before the start: {this['load_before']:.1f}.",
        "",
        f"{bench.options.rounds} rounds of {bench.options.seconds:g} s in turns; min / median / max. "
        "**The load generator and the server share the cores.** Latencies of closed loops are those of a saturated "
        "machine; the open loop counts from the moment a request should have left.",
        "",
        "| scenario | against | unit | against: min / median / max | real: min / median / max | ratio | target | p50 ms | p99 ms | memory |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    three = lambda values: " / ".join(f"{values[key]:,.0f}" for key in ("min", "median", "max"))
    against = {"batch": "bare loop", "stored": "10,000 stored", "overload": "peak", "crowd": "256 connections"}
    results = {name: values for name, values in bench.results.items() if not name.startswith(("find-", "poll-"))}
    for name, values in results.items():
        if name.endswith("latency"):
            continue
        target = f"{values['target']:.2f}" if values["target"] else "–"
        target += f" (aim {values['aim']:.2f})" if values["aim"] else ""
        lines.append(
            f"| {name} | {against.get(name.removeprefix('postgres-'), 'dry run') if name != 'postgres-batch' else 'dry run'} | {values['unit']} | {three(values['null'])} | {three(values['real'])} "
            f"| **{values['ratio']:.2f}** | {target} | {values['p50_ms']:.2f} | {values['p99_ms']:.2f} | {values['peak_memory'] / 2**20:.0f} MiB |"
        )
    lines.append("")
    for name, values in results.items():
        if name.endswith("latency"):
            at = lambda of: values[f"{of}_ms"]["median"]
            lines.append(
                f"- {name}, open loop at {values['asked']:,.0f} requests/s (half of {values['peak']:,.0f}): p50 {at('p50'):.2f} ms, "
                f"p99 **{at('p99'):.2f} ms** (target < 10; {values['p99_ms']['min']:.2f} to {values['p99_ms']['max']:.2f}), "
                f"p99.9 {at('p999'):.2f} ms, longest {values['max_ms']['max']:.1f} ms; checkpoints included."
            )
        elif name == "batch":
            lines.append(f"- batch: the bare loop commits 20,000 events at once, as the lane does; with 1,000 it reaches {three(values['bare_1000'])} events/s.")
        elif name == "stored":
            lines.append(f"- stored: {values['events']:,} events, {values['bytes'] / 2**30:.2f} GiB on disk.")
        elif name.endswith("overload"):
            lines.append(
                f"- {name}: {values['asked']:,.0f} events/s asked; {values['refused']:,} requests refused with 503, "
                f"{values['without_retry_after']} of them without Retry-After; other statuses: {values['other_statuses'] or 'none'}; "
                f"{values['broken']} connections broken, {values['never_sent']} requests never sent."
            )
        elif name.endswith("crowd"):
            lines.append(f"- {name}: {values['refused']:,} requests refused, {values['broken']} broken; clients that try again at once.")
    memories = {name: values["peak_memory"] for name, values in results.items() if not name.endswith(("overload", "crowd"))}
    if memories:
        most = max(memories, key=memories.get)
        lines.append(
            f"- memory at full load: at most {memories[most] / 2**20:.0f} MiB resident ({most}; target < 100); "
            "`overload` and `crowd`, with hundreds of large bodies or thousands of connections at once, stand in the table."
        )
    return "\n".join(lines) + "\n"


def write_figures(text):
    """Puts the table into docs/figures.md, between its marks; everything else there stays."""
    begin, end = "<!-- bench: begin -->", "<!-- bench: end -->"
    old = FIGURES.read_text() if FIGURES.exists() else "# Figures\n\n## Throughput, latency, memory\n\n"
    section = f"{begin}\n{text}{end}"
    if begin in old and end in old:
        new = old[: old.index(begin)] + section + old[old.index(end) + len(end) :]
    else:
        new = old.rstrip("\n") + "\n\n" + section + "\n"
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(new)
    print(f"written to {FIGURES.relative_to(hub.ROOT)}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", help=f"all when none is named: {', '.join(SCENARIOS)}")
    parser.add_argument("--quick", action="store_true", help="everything in about a minute: shows that it works, measures nothing")
    parser.add_argument("--rounds", type=int, help="rounds in turns (5)")
    parser.add_argument("--seconds", type=float, help="of each run (10)")
    parser.add_argument("--stored", type=int, help="events stored for that scenario (5,000,000)")
    parser.add_argument("--find", type=int, action="append", help="events stored for the scenario find (1,000,000); repeat it")
    parser.add_argument("--wrk-threads", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the table into docs/figures.md")
    options = parser.parse_args()
    unknown = [name for name in options.scenario if name not in SCENARIOS]
    if unknown:
        parser.error(f"no such scenario: {', '.join(unknown)}")
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 10)
    options.stored = options.stored or (100_000 if options.quick else 5_000_000)
    options.find = options.find or [20_000 if options.quick else 1_000_000]
    options.warm_up = 1 if options.quick else 2
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, most), most))
    options.machine = machine()
    bench = Bench(options)
    failed = False
    for name in options.scenario or SCENARIOS:
        print(f"\n--- {name}: {SCENARIOS[name].__doc__}", flush=True)
        try:
            SCENARIOS[name](bench)
        except (hub.Failed, subprocess.SubprocessError, OSError) as error:
            print(f"failed: {name}: {error}", file=sys.stderr)
            failed = True
    shutil.rmtree(OUT / "data", ignore_errors=True)
    text = table(bench)
    print("\n" + text)
    (OUT / "all.json").write_text(json.dumps({"machine": options.machine, **bench.results}, indent=1) + "\n")
    print(f"as JSON: {(OUT / 'all.json').relative_to(hub.ROOT)}")
    if options.write and not failed:
        write_figures(text)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
