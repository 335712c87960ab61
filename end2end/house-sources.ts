// The pages of sources: empty, full, failing, and in error.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { inMain } from "./journey";
import type { Door, Server } from "./server";

/** Of a tenant that polls nothing. */
export function bareSources(tenant: () => string): Room[] {
  const base = () => `/tenants/${tenant()}/sources`;
  const rooms: Omit<Room, "as">[] = [
    { name: "sources-empty", open: (page) => page.goto(base()) },
    { name: "source-new", open: (page) => page.goto(`${base()}/new`) },
    { name: "source-import", open: (page) => page.goto(`${base()}/import`) },
    { name: "hosts-empty", open: (page) => page.goto("/hosts") },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" }));
}

/** A SOURCE.json for the stand-in. */
export function sourceOf(url: string, name: string, changes: object = {}): object {
  return {
    name,
    url,
    window: { parameters: { from: "{from}", until: "{until}" }, precision: "milliseconds" },
    schedule: { everyMinutes: 60, settleSeconds: 0 },
    records: "$.data.items",
    pages: { kind: "nextInBody", path: "$.meta.next" },
    recordId: ["/id"],
    version: "/version",
    recordTime: { pointer: "/changed" },
    ...changes,
  };
}

/** Waits until a page of the server says so. */
export async function untilSays(page: Page, path: string, words: string | RegExp): Promise<void> {
  for (const limit = Date.now() + 20_000; Date.now() < limit; ) {
    await page.goto(path);
    if (await inMain(page).getByText(words).count()) return;
    await page.waitForTimeout(200);
  }
  throw new Error(`${path} does not say ${words}`);
}

/** Of a tenant that polls one system that works, one that is not there, and one that is paused. */
export async function fullSources(server: Server, door: Door): Promise<Room[]> {
  const { tenant } = door;
  const vendor = await server.vendor(["--records", "600", "--hours", "30"]);
  const type = server.addEventType(tenant, "Item changed", { properties: { id: { type: "integer" }, mail: { type: "string" } } });
  const strict = server.addEventType(tenant, "Item with a price", { required: ["price"] });
  const day = new Date(Date.now() - 26 * 3_600_000).toISOString().slice(0, 19) + "Z";
  const works = server.addSource(tenant, type, sourceOf(vendor.url, "Warehouse items"), ["--start", day]);
  const away = server.addSource(tenant, type, sourceOf("https://nobody.invalid/api/orders", "Ticketing that is away"));
  const stopped = server.addSource(tenant, strict, sourceOf("http://127.0.0.1:9/inside", "An address inside"));
  const paused = server.addSource(tenant, type, sourceOf(vendor.url, "Paused for the summer"));
  server.command(["source", "pause", "--id", paused]);
  server.command(["host", "allow", "erp.internal:8080"]);
  const base = `/tenants/${tenant}/sources`;
  const of = (id: string) => `${base}/${id}`;
  const complete = (page: Page) => untilSays(page, of(works), /no gap, no double/);
  const filled = async (page: Page, changes: Record<string, string> = {}) => {
    await page.goto(`${base}/import`);
    await page.getByLabel("Or paste it").fill(JSON.stringify(sourceOf(vendor.url, "Orders", { authentication: { kind: "bearer" }, token: "secret" })));
    await inMain(page).getByRole("button", { name: "Read it" }).click();
    await page.getByLabel("Event type").selectOption({ label: "Item changed" });
    for (const [label, value] of Object.entries(changes)) await inMain(page).getByLabel(label, { exact: true }).fill(value);
  };
  const rooms: Omit<Room, "as">[] = [
    { name: "source", open: complete },
    { name: "source-28-days", open: (page) => page.goto(`${of(works)}?range=28d`) },
    { name: "sources", open: (page) => page.goto(base) },
    { name: "hosts", open: (page) => page.goto("/hosts") },
    {
      name: "hosts-amiss",
      open: async (page) => {
        await page.goto("/hosts");
        await page.getByLabel("Host", { exact: true }).fill("http://erp.internal/");
        await inMain(page).getByRole("button", { name: "Allow it" }).click();
      },
    },
    { name: "host-withdraw", open: (page) => page.goto("/hosts/withdraw?host=erp.internal:8080") },
    {
      name: "host-limit-amiss",
      open: async (page) => {
        await page.goto("/hosts");
        await inMain(page).getByRole("link", { name: "nobody.invalid" }).click();
        await page.getByLabel("Windows at once, at most").fill("0");
        await inMain(page).getByRole("button", { name: "Save" }).click();
      },
    },
    {
      name: "source-window",
      open: async (page) => {
        await complete(page);
        await page.locator("#ledger").getByRole("row").nth(1).getByRole("link").click();
        await page.getByRole("heading", { name: "Attempt 1" }).waitFor();
      },
    },
    {
      name: "event-polled",
      open: async (page) => {
        await page.goto(`/tenants/${tenant}/events?type=${type}`);
        await inMain(page).getByRole("rowheader").first().getByRole("link").click();
        await page.getByRole("heading", { name: "Where it came from" }).waitFor();
      },
    },
    { name: "source-away", open: (page) => untilSays(page, of(away), /to be tried again/) },
    { name: "source-stopped", open: (page) => untilSays(page, of(stopped), /It was stopped/) },
    { name: "source-paused", open: (page) => page.goto(of(paused)) },
    { name: "source-edit", open: (page) => page.goto(`${of(works)}/edit`) },
    { name: "source-token", open: (page) => page.goto(`${of(works)}/token`) },
    {
      name: "source-token-amiss",
      open: async (page) => {
        await page.goto(`${of(works)}/token`);
        await inMain(page).getByRole("button", { name: "Replace token" }).click();
      },
    },
    {
      name: "source-backfill",
      open: async (page) => {
        await page.goto(`${of(works)}/backfill`);
        await inMain(page).getByRole("button", { name: "What would it take?" }).click();
        await page.getByText("before the ledger").waitFor();
      },
    },
    { name: "source-remove", open: (page) => page.goto(`${of(works)}/remove`) },
    {
      name: "source-new-amiss",
      open: async (page) => {
        await filled(page, { Address: "shop", "Minutes between two runs": "0" });
        await inMain(page).getByRole("button", { name: "Create source" }).click();
      },
    },
    {
      name: "source-tried",
      open: async (page) => {
        await filled(page);
        await inMain(page).getByRole("button", { name: "Try it" }).click();
        await page.getByText("found on the first page").waitFor();
      },
    },
    {
      name: "source-tried-in-vain",
      open: async (page) => {
        await filled(page, { Address: "http://192.168.7.7/inside" });
        await inMain(page).getByRole("button", { name: "Try it" }).click();
        await page.locator("#result").waitFor();
      },
    },
    {
      name: "source-probed",
      open: async (page) => {
        await filled(page);
        await inMain(page).getByRole("button", { name: "Probe the boundary" }).click();
        await page.getByText("How sure").waitFor();
      },
    },
    {
      name: "source-new-rows",
      open: async (page) => {
        await filled(page);
        await page.getByLabel("Field by field").check();
      },
    },
  ];
  return [
    ...rooms.map((room) => ({ ...room, as: "ada" as const })),
    { name: "source-manager", as: "grace", open: (page) => page.goto(of(works)) },
    { name: "source-customer", as: "customer", open: (page) => page.goto(of(works)) },
  ];
}
