// What every journey stands on: a fresh server for each file, browsers that are watched, and small steps that
// several journeys take.
//
//   import { test, expect } from "./journey";
//   test("…", async ({ page, server }) => { await page.goto("/"); … });
//
// A journey fails when a page logs an error, breaks the content security policy, throws, or loads something that is
// not there. Pages that answer 4xx on purpose are no fault.
import { type Browser, type BrowserContextOptions, type Locator, type Page, expect, test as base } from "@playwright/test";
import { createHmac } from "node:crypto";
import { Server } from "./server";

export { expect };
export type { Door } from "./server";

export const PASSWORD = "correct horse battery";

/** Opens a browser of its own; its page. */
export type Visit = (options?: BrowserContextOptions & { as?: string }) => Promise<Page>;

interface Fixtures {
  server: Server;
  visit: Visit;
}

interface Servers {
  of(file: string): Promise<Server>;
}

export const test = base.extend<Fixtures, { servers: Servers }>({
  servers: [
    async ({}, use) => {
      let running: { file: string; server: Server } | undefined;
      await use({
        async of(file) {
          if (running?.file !== file) {
            await running?.server.stop();
            running = { file, server: await Server.start() };
          }
          return running.server;
        },
      });
      await running?.server.stop();
    },
    { scope: "worker" },
  ],
  server: async ({ servers }, use, info) => use(await servers.of(info.file)),
  baseURL: async ({ server }, use) => use(server.url),
  visit: async ({ browser, server }, use) => {
    const faults: string[] = [];
    const opened: Page[] = [];
    await use(async ({ as, ...options } = {}) => {
      const page = await open(browser, { baseURL: server.url, ...options }, faults);
      opened.push(page);
      if (as) await signIn(page, as);
      return page;
    });
    for (const page of opened) await page.context().close();
    expect(faults, "what went wrong in the browser meanwhile").toEqual([]);
  },
  page: async ({ visit, contextOptions, javaScriptEnabled, colorScheme }, use) => {
    await use(await visit({ ...contextOptions, javaScriptEnabled, colorScheme }));
  },
});

async function open(browser: Browser, options: BrowserContextOptions, faults: string[]): Promise<Page> {
  // what moves takes a browser on two cores most of its time, and shows nothing else; the first run has it
  const still = { reducedMotion: "reduce" as const, permissions: ["clipboard-read", "clipboard-write"] };
  const context = await browser.newContext({ ...still, ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    // a busy browser leaves a transition between two pages out, and says so by itself
    if (!error.message.startsWith("Transition was ")) faults.push(`thrown: ${error.message}`);
  });
  page.on("console", (message) => {
    // what could not be loaded is noted below, where it is known what it was
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      faults.push(`${page.url()} logged: ${message.text()}`);
    }
  });
  page.on("response", (response) => {
    const expected = response.request().resourceType() === "document" && response.status() < 500;
    if (response.status() >= 400 && !expected) faults.push(`${response.status()} for ${response.url()}`);
  });
  return page;
}

/** Signs in at the login page. */
export async function signIn(page: Page, email: string, password = PASSWORD): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).not.toHaveURL(/\/login/);
}

/** What an authenticator application shows that has learned this secret (RFC 6238). */
export function secondFactorOf(secret: string): string {
  const bits = [...secret.replace(/\s/g, "")]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", key).update(step).digest();
  const code = digest.readUInt32BE(digest[19] & 15) & 0x7fff_ffff;
  return String(code % 1_000_000).padStart(6, "0");
}

/** Signs out by the menu of the account. */
export async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL("/login");
}

/** The one button or link of the page's body by its name; the navigation has namesakes. */
export function inMain(page: Page): Locator {
  return page.getByRole("main");
}

/** Expects the page of a form again: a summary that has the focus and links to each field that is named, which
 *  tells what is amiss with it. */
export async function expectMistakes(page: Page, fields: string[]): Promise<void> {
  const summary = page.getByRole("alert");
  await expect(summary).toBeFocused();
  for (const label of fields) {
    const field = page.getByRole("main").getByLabel(label, { exact: true });
    await expect(field).toHaveAttribute("aria-invalid", "true");
    const id = await field.getAttribute("id");
    await expect(summary.locator(`a[href="#${id}"]`)).toBeVisible();
    await expect(field).toHaveAccessibleDescription(/\S/);
  }
}

/** The status of the page that a click leads to. */
export async function statusAfter(page: Page, act: () => Promise<void>): Promise<number> {
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.request().isNavigationRequest() && response.status() !== 303),
    act(),
  ]);
  return response.status();
}

/** The contract of orders that several journeys use. */
export const ORDER = {
  type: "object",
  required: ["Email Address", "Order Number", "Amount"],
  properties: {
    "Email Address": { type: "string", format: "email" },
    "Order Number": { type: "integer", examples: [1001] },
    Amount: { type: "number", minimum: 0, examples: [59.9] },
    Currency: { type: "string", enum: ["EUR", "GBP", "USD"] },
  },
};

export function order(number: number): object {
  return { "Email Address": `customer${number}@example.com`, "Order Number": number, Amount: 59.9, Currency: "EUR" };
}
