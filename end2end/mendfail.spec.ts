// A consultant closes the loop: from a group of failures by one change of the contract to the replay of what passes now,
// and to a group that is resolved. With a script and without.
import { type Page } from "@playwright/test";
import { expect, inMain, ORDER, order, PASSWORD, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed", ORDER);
  await server.send(door, order(1));
});

const quarantine = () => `/tenants/${door.tenant}/quarantine`;

/** The group of a place, once the server has sorted its events into it. */
async function openGroup(page: Page, name: RegExp): Promise<void> {
  const link = inMain(page).getByRole("link", { name });
  await expect(async () => {
    await page.goto(quarantine());
    await link.click({ timeout: 500 });
  }).toPass();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
}

for (const [javaScriptEnabled, field, place] of [[true, { Amount: "12,50" }, /^\/Amount: expected/], [false, { Currency: "EURO" }, /^\/Currency/]] as const) {
  test(`one click drafts the fix, and the loop is closed, scripts ${javaScriptEnabled ? "on" : "off"}`, async ({ visit, server }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    for (const number of [2, 3]) {
      expect((await server.send(door, { ...order(number), ...field })).status).toBe(422);
    }
    await openGroup(page, place);
    await expect(inMain(page)).toContainText("This one change is written into the active contract");
    await page.getByRole("button", { name: "Draft this change" }).click();
    await expect(page).toHaveURL(/\/contract\/review$/);
    await expect(inMain(page)).toContainText("of 2 quarantined events would pass");
    await page.getByRole("button", { name: /^Activate version/ }).click();
    await expect(inMain(page)).toContainText("2 events in quarantine keep this version");
    await page.getByRole("link", { name: "Replay 2 that pass now…" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Replay 2 events of Order placed");
    await page.getByRole("button", { name: "Replay 2 events" }).click();
    await expect(async () => {
      await page.reload();
      await expect(inMain(page).getByText("done", { exact: true }).first()).toBeVisible({ timeout: 500 });
    }).toPass();

    await page.goto(quarantine());
    const row = inMain(page).getByRole("row", { name: place });
    await row.getByRole("button", { name: /^Resolve/ }).click();
    await expect(inMain(page).getByRole("status")).toContainText("Resolved.");
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(inMain(page)).toContainText("None of its events is in quarantine any more");
    await page.getByRole("button", { name: "Resolve the group" }).click();
    await page.goto(quarantine());
    await expect(inMain(page).getByRole("link", { name: place })).toHaveCount(0);
  });
}

test("no more is replayed than the filter asks for, and a replay can be stopped", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  const tickets = { ...door, eventType: server.addEventType(door.tenant, "Ticket scanned", { required: ["Gate"] }) };
  await server.untilOpen(tickets);
  const thousand = Array.from({ length: 1000 }, (_, n) => ({ n }));
  for (let n = 0; n < 20; n += 1) await server.send(tickets, thousand);
  const base = `${quarantine()}/events`;
  await page.goto(`${base}?type=${tickets.eventType}&until=2020-01-01T00:00`);
  await expect(page.getByRole("heading", { name: "Nothing here" })).toBeVisible();
  await page.goto(`${base}?type=${tickets.eventType}&from=2020-01-01T00:00`);
  await expect(page.getByLabel("From (UTC)")).toHaveValue("2020-01-01T00:00");
  await page.getByRole("link", { name: "Replay all of these…" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    "Replay 20,000 events of Ticket scanned, received from 2020-01-01 00:00 UTC on",
  );
  await page.getByRole("button", { name: "Replay 20,000 events" }).click();
  await expect(page).toHaveURL(/\/tasks\//);
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(async () => {
    await page.reload();
    await expect(inMain(page)).toContainText(/Cancelled after [\d,]+ of 20,000 events/, { timeout: 500 });
  }).toPass();

  await openGroup(page, /^\/Gate is required but missing$/);
  const all = page.getByRole("link", { name: "All 20,000 in quarantine" });
  // groups follow their events
  await expect(async () => {
    await page.reload();
    await expect(all).toBeVisible({ timeout: 500 });
  }).toPass();
  await all.click();
  await page.getByRole("link", { name: "Export…" }).click();
  await expect(inMain(page)).toContainText("20,000 events");
  await expect(inMain(page)).toContainText("/Gate is required but missing");
});
