// A server of its own for each test: the release binary on a free port with an empty SQLite database.
//
//   import { test, expect } from "./server";
//   test("…", async ({ page, server }) => { await page.goto("/"); … });
//
// Journeys that share one server start it in beforeAll with startServer() and stop it in afterAll.
import { test as base } from "@playwright/test";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export { expect } from "@playwright/test";

const PROGRAM = path.resolve(import.meta.dirname, "../target/release/tributary");
const START_LIMIT = 15_000;
const STOP_LIMIT = 12_000;

export class Server {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    /** As the server printed it, without a slash at the end. */
    readonly url: string,
    private readonly printed: { text: string },
  ) {}

  static async start(args: string[] = []): Promise<Server> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tributary-end2end-"));
    const child = spawn(PROGRAM, ["serve", "--listen", "127.0.0.1:0", "--database-url", databaseUrl(folder), ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const printed = { text: "" };
    const url = await new Promise<string>((resolve, reject) => {
      const give = (what: string) => {
        child.kill("SIGKILL");
        reject(new Error(`the server ${what}; it said:\n${printed.text}`));
      };
      const limit = setTimeout(() => give(`was not ready after ${START_LIMIT} ms`), START_LIMIT);
      child.once("error", (error) => give(`did not start: ${error.message} (is ${PROGRAM} built?)`));
      child.once("exit", (code, signal) => give(`ended with ${code ?? signal}`));
      const collect = (chunk: Buffer) => {
        printed.text += chunk.toString();
        const ready = /^listening on (http:\/\/\S+?)\/?\s*$/m.exec(printed.text);
        if (!ready) return;
        clearTimeout(limit);
        child.removeAllListeners("exit");
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

  async stop(): Promise<void> {
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

function databaseUrl(folder: string): string {
  return `sqlite://${folder}/t.db`;
}

export const startServer = Server.start;

export const test = base.extend<{ server: Server }>({
  server: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.stop();
  },
  baseURL: async ({ server }, use) => use(server.url),
});
