"""Starts, feeds and stops the program under test: what the measurements and the torture share. Standard library only."""

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("TRIBUTARY_PROGRAM", ROOT / "target/release/tributary"))
QUIET = {"RUST_LOG": "error", "NO_COLOR": "1"}


class Failed(Exception):
    """Something that keeps us from going on; its text says what."""


def cli(database, *arguments, given=None):
    """Runs a command of the program and returns the JSON objects that it prints, one a line."""
    command = [str(BINARY), "--json", *arguments, "--database-url", database]
    done = subprocess.run(command, input=given, capture_output=True, text=True, env={**os.environ, **QUIET}, timeout=600)
    if done.returncode != 0:
        raise Failed(f"tributary {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


class Tenant:
    """A tenant with a token and three event types: a plain one, one whose field `marker` makes an event unique, and
    one whose contract takes anything."""

    def __init__(self, database, folder, contract):
        # without an account, a server writes a set-up link at its start
        user = ("user", "add", "--email", f"load-{time.time_ns()}@example.com", "--role", "administrator", "--password-stdin")
        cli(database, *user, given="correct horse battery staple\n")
        schema = Path(folder) / "contract.json"
        schema.write_text(json.dumps(contract))
        self.id = cli(database, "tenant", "add", "Load")[0]["id"]
        of = ("--tenant", self.id)
        add = lambda *arguments: cli(database, "event-type", "add", *of, *arguments)[0]["id"]
        self.plain = add("plain", "--schema", str(schema))
        self.unique = add("unique", "--schema", str(schema), "--unique", "marker")
        self.anything = add("anything")
        self.token = cli(database, "token", "add", *of, "load")[0]["token"]

    def path(self, event_type, dry_run=False):
        return f"/events/v1.0/tenants/{self.id}/events/{event_type}" + ("/validate" if dry_run else "")


class Server:
    """One running `tributary serve`."""

    def __init__(self, database, log, *arguments, env=None, ready_within=30.0):
        self.began = time.monotonic()
        self.port = None
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", "--listen", "127.0.0.1:0", "--database-url", database, *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "NO_COLOR": "1", **(env or {})},
            )
        if ready_within:
            self.wait_until_ready(ready_within)

    def wait_until_ready(self, seconds):
        """Waits for the line that names the port. False when the program ended instead."""
        found, text, until = None, b"", time.monotonic() + seconds
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            while not found:
                if not waiting.select(max(0.0, until - time.monotonic())):
                    self.kill()
                    raise Failed(f"the server said nothing for {seconds:.0f} s")
                more = os.read(self.process.stdout.fileno(), 4096)
                if not more:
                    return False
                text += more
                found = re.search(rb"listening on http://127\.0\.0\.1:(\d+)\n", text)
        # what it prints later must not fill the pipe
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.port = int(found.group(1))
        return True

    @property
    def alive(self):
        return self.process.poll() is None

    def kill(self):
        """kill -9; returns once it is gone."""
        if self.alive:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, within=12.0):
        """Asks it to end and returns its exit code; None when it did not in time."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def peak_memory(self):
        """Most bytes that it ever had resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024


class Connection:
    """A keep-alive HTTP/1.1 connection, as small as can be."""

    def __init__(self, port, timeout=15.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path, token, body, headers=()):
        """Sends one request; returns status, headers (names in lower case) and body. OSError when the line goes dead."""
        head = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"X-CM-PRODUCTTOKEN: {token}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        self.socket.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(body) < length:
            body += self._more()
        return int(lines[0].split()[1]), headers, body

    def _more(self):
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionResetError("the server closed the connection")
        return more

    def close(self):
        self.socket.close()
