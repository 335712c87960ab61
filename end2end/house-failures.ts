// The pages of failures: empty, full and in error.
import type { Page } from "@playwright/test";
import { eventOf, type Room } from "./house";
import { inMain, order } from "./journey";
import type { Door, Server } from "./server";

const to = (path: string) => (page: Page) => page.goto(path);

/** Of a tenant that has nothing. */
export function bareFailures(tenant: () => string): Room[] {
  const open = (rest: string) => (page: Page) => page.goto(`/tenants/${tenant()}/quarantine${rest}`);
  return [
    { name: "quarantine-events-empty", as: "ada", open: open("/events") },
    { name: "quarantine-replay-empty", as: "ada", open: open("/replay") },
  ];
}

/** Of a tenant whose sender is broken. */
export async function fullFailures(server: Server, door: Door): Promise<Room[]> {
  const wrong = (change: object) => ({ ...order(4000), ...change });
  const broken = [
    wrong({ Amount: "12,50" }),
    wrong({ Amount: "3,00", Currency: "EURO" }),
    wrong({ "Email Address": "jane@" }),
    { "Order Number": 4001 },
  ];
  const receipt = (await server.send(door, broken)).body.receiptId;
  const [first, second] = [eventOf(receipt, 1), eventOf(receipt, 2)];
  const base = `/tenants/${door.tenant}`;
  const groups = `${base}/quarantine`;
  /** Opens the group whose line begins so; it is there within seconds. */
  const group = async (page: Page, name: RegExp, query = "?state=all") => {
    for (let tries = 0; tries < 50; tries += 1) {
      await page.goto(`${groups}${query}`);
      const link = inMain(page).getByRole("link", { name });
      if (await link.count()) return link.first().click();
      await page.waitForTimeout(100);
    }
    throw new Error(`no group ${name}`);
  };
  const rooms: Omit<Room, "as">[] = [
    { name: "failure-group", open: (page) => group(page, /^\/Amount: expected a number/) },
    { name: "failure-groups", open: to(groups) },
    { name: "failure-groups-by-count", open: to(`${groups}?sort=count&state=all`) },
    { name: "failure-groups-none", open: to(`${groups}?state=ignored`) },
    { name: "quarantine-events", open: to(`${groups}/events`) },
    {
      name: "quarantine-events-of-group",
      open: async (page) => {
        await group(page, /^\/Amount: expected a number/);
        await page.getByRole("link", { name: /^All \d+ in quarantine/ }).click();
      },
    },
    { name: "quarantine-events-amiss", open: to(`${groups}/events?group=nonsense`) },
    {
      name: "failure-group-resolved",
      open: async (page) => {
        await group(page, /^\/Currency/);
        const resolve = page.getByRole("button", { name: "Resolve" });
        if (await resolve.count()) await resolve.click();
      },
    },
    {
      name: "failure-group-came-back",
      open: async (page) => {
        await server.send(door, wrong({ Currency: "EURO" }));
        await page.waitForTimeout(2500);
        await group(page, /^\/Currency/);
      },
    },
    { name: "mend", open: to(`${base}/events/${first}/mend`) },
    {
      name: "mend-amiss",
      open: async (page) => {
        await page.goto(`${base}/events/${second}/mend`);
        await page.getByLabel("Event", { exact: true }).fill('{\n  "Amount": "3,00"\n}');
        await inMain(page).getByRole("button", { name: "Replay" }).click();
      },
    },
    {
      name: "mend-checked",
      open: async (page) => {
        await page.goto(`${base}/events/${second}/mend`);
        await page.getByLabel("Event", { exact: true }).fill(JSON.stringify(order(4000), null, 2));
        await inMain(page).getByRole("button", { name: "Check" }).click();
      },
    },
    { name: "quarantine-replay", open: to(`${groups}/replay`) },
    {
      name: "event-mended",
      open: async (page) => {
        await page.goto(`${base}/events/${first}/mend`);
        const form = page.getByLabel("Event", { exact: true });
        if (await form.count()) {
          await form.fill(JSON.stringify(order(4000), null, 2));
          await inMain(page).getByRole("button", { name: "Replay" }).click();
        }
      },
    },
    { name: "event-original", open: to(`${base}/events/${first}`) },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" }));
}
