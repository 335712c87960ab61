// A server of its own: the program on a free port with an empty SQLite database. Tests ask for one through
// journey.ts; TRIBUTARY_PROGRAM names another binary than the release build.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");
const PROGRAM = path.resolve(ROOT, process.env.TRIBUTARY_PROGRAM ?? "target/release/tributary");
const START_LIMIT = 15_000;
const STOP_LIMIT = 12_000;

/** Where events of a type go, and with which secret. */
export interface Door {
  tenant: string;
  eventType: string;
  token: string;
}

export interface Answer {
  status: number;
  body: any;
}

export class Server {
  private readonly vendors: Vendor[] = [];

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    /** As the server printed it, without a slash at the end. */
    readonly url: string,
    private readonly printed: { text: string },
  ) {}

  static async start(args: string[] = []): Promise<Server> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tributary-end2end-"));
    // sources are polled from this machine by its name; by its address, it is as private as ever
    const all = ["serve", "--listen", "127.0.0.1:0", "--allow-outbound", "localhost", "--database-url", databaseUrl(folder)];
    const child = spawn(PROGRAM, [...all, ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const printed = { text: "" };
    const url = await new Promise<string>((resolve, reject) => {
      const give = (what: string) => {
        clearTimeout(limit);
        child.kill("SIGKILL");
        reject(new Error(`the server ${what}; it said:\n${printed.text}`));
      };
      const limit = setTimeout(() => give(`was not ready after ${START_LIMIT} ms`), START_LIMIT);
      const ended = (code: number | null, signal: string | null) => give(`ended with ${code ?? signal}`);
      child.once("error", (error) => give(`did not start: ${error.message} (is ${PROGRAM} built?)`));
      child.once("exit", ended);
      const collect = (chunk: Buffer) => {
        printed.text += chunk.toString();
        const ready = /^listening on (http:\/\/\S+?)\/?\s*$/m.exec(printed.text);
        if (!ready) return;
        clearTimeout(limit);
        child.off("exit", ended);
        resolve(ready[1]);
      };
      child.stdout?.on("data", collect);
      child.stderr?.on("data", collect);
    });
    return new Server(child, folder, url, printed);
  }

  /** All that the server printed so far, on both streams. */
  output(): string {
    return this.printed.text;
  }

  /** The first address in the output that matches, such as the set-up link; waits for it for a while. */
  async printedUrl(pattern: RegExp): Promise<string> {
    for (let tries = 0; tries < 50; tries += 1) {
      const found = (this.printed.text.match(/https?:\/\/\S+/g) ?? []).find((url) => pattern.test(url));
      if (found) return found;
      await new Promise((wake) => setTimeout(wake, 100));
    }
    throw new Error(`the server printed no address like ${pattern}; it said:\n${this.printed.text}`);
  }

  /** Runs another command of the program on the same database and returns what it printed on stdout. */
  command(args: string[], input = ""): string {
    return execFileSync(PROGRAM, args, {
      cwd: this.folder,
      env: { ...process.env, DATABASE_URL: databaseUrl(this.folder) },
      input,
      encoding: "utf8",
    });
  }

  /** The same, for what prints JSON. */
  private json(args: string[], input = ""): any {
    return JSON.parse(this.command(["--json", ...args], input));
  }

  addUser(email: string, role: string, password: string, tenant?: string): void {
    const bound = tenant ? ["--tenant", tenant] : [];
    this.command(["user", "add", "--email", email, "--role", role, ...bound, "--password-stdin"], password);
  }

  addTenant(name: string): string {
    return this.json(["tenant", "add", name]).id;
  }

  /** Adds an event type and returns its id. `contract` is a JSON Schema. */
  addEventType(tenant: string, name: string, contract?: object): string {
    const args = ["event-type", "add", "--tenant", tenant, name];
    if (contract) {
      const file = path.join(this.folder, "contract.json");
      fs.writeFileSync(file, JSON.stringify(contract, null, 2));
      args.push("--schema", file);
    }
    return this.json(args).id;
  }

  /** Adds a source out of a SOURCE.json and returns its id. */
  addSource(tenant: string, eventType: string, source: object, more: string[] = []): string {
    const args = ["source", "add", "--tenant", tenant, "--event-type", eventType, "--file", "-", ...more];
    return this.json(args, JSON.stringify(source)).id;
  }

  /** Saves a contract as the draft of a type. */
  saveDraft(tenant: string, eventType: string, contract: object): void {
    const args = ["event-type", "draft", "--tenant", tenant, eventType, "--schema", "-"];
    this.command(args, JSON.stringify(contract, null, 2));
  }

  addToken(tenant: string, name: string): { id: string; token: string } {
    return this.json(["token", "add", "--tenant", tenant, name]);
  }

  /** Waits until the use of a token is written down, which is done every few seconds. */
  async untilUsed(tenant: string, token: string): Promise<void> {
    for (const limit = Date.now() + 15_000; Date.now() < limit; ) {
      const { lastUse } = this.json(["token", "show", "--tenant", tenant, token]);
      if (lastUse) return;
      await new Promise((wake) => setTimeout(wake, 250));
    }
    throw new Error("the use of the token is not known after 15 seconds");
  }

  /** A tenant, a type and a token, known to the front door. */
  async addDoor(tenantName: string, typeName: string, contract?: object): Promise<Door> {
    const tenant = this.addTenant(tenantName);
    const door = {
      tenant,
      eventType: this.addEventType(tenant, typeName, contract),
      token: this.addToken(tenant, "Web shop").token,
    };
    await this.untilOpen(door);
    return door;
  }

  /** Waits until the front door knows a token and a type that were just made: an empty list is refused with 422
   *  or the like, but neither with 401 nor with 404, and stores nothing. */
  async untilOpen(door: Door): Promise<void> {
    for (const limit = Date.now() + 5_000; Date.now() < limit; ) {
      const { status } = await this.send(door, "[]");
      if (status !== 401 && status !== 404) return;
      await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error("the front door does not know the token or the type after 5 seconds");
  }

  /** Sends events as an external system does. A string goes as it is, anything else as JSON. */
  async send(door: Door, body: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/events/v1.0/tenants/${door.tenant}/events/${door.eventType}`, {
      method: "POST",
      headers: { "X-CM-PRODUCTTOKEN": door.token, "Content-Type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  }

  /** An external system that ends when this does. */
  async vendor(args: string[] = []): Promise<Vendor> {
    const vendor = await Vendor.start(args);
    this.vendors.push(vendor);
    return vendor;
  }

  async stop(): Promise<void> {
    for (const vendor of this.vendors) vendor.stop();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once("exit", resolve));
      this.child.kill("SIGTERM");
      const limit = setTimeout(() => this.child.kill("SIGKILL"), STOP_LIMIT);
      await ended;
      clearTimeout(limit);
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An external system that can be polled: the program's own stand-in. */
export class Vendor {
  private constructor(
    private readonly child: ChildProcess,
    /** Where its records are. */
    readonly url: string,
  ) {}

  static async start(args: string[] = []): Promise<Vendor> {
    const child = spawn(PROGRAM, ["vendor", "--listen", "127.0.0.1:0", ...args], { stdio: ["ignore", "pipe", "ignore"] });
    const port = await new Promise<string>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error("the stand-in was not ready in time")), START_LIMIT);
      let text = "";
      child.once("error", reject);
      child.stdout?.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const ready = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(text);
        if (!ready) return;
        clearTimeout(limit);
        resolve(ready[1]);
      });
    });
    return new Vendor(child, `http://localhost:${port}/records`);
  }

  stop(): void {
    this.child.kill("SIGTERM");
  }
}

function databaseUrl(folder: string): string {
  return `sqlite://${folder}/t.db`;
}
