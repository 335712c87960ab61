// A consultant looks through what came in: filters, pages, and events that come meanwhile.
import { type Page } from "@playwright/test";
import { expect, inMain, PASSWORD, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;
let other: Door;
let base: string;
/** More than two pages. */
const MANY = 120;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed");
  other = { ...door, eventType: server.addEventType(door.tenant, "Order cancelled", { required: ["Reason"] }) };
  await server.untilOpen(other);
  base = `/tenants/${door.tenant}/events`;
  for (let number = 0; number < MANY; number += 1) await server.send(door, { number });
  for (const event of [{ Reason: "late" }, {}, { Reason: "wrong size" }]) await server.send(other, event);
});

/** The addresses of the events that a page lists. */
async function listed(page: Page): Promise<string[]> {
  const links = inMain(page).getByRole("table").getByRole("link");
  return links.evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
}

test("filters stand in the address, and reload and back bring them again", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(base);
  await expect(inMain(page).getByRole("row")).toHaveCount(51);

  await page.getByLabel("Type").selectOption("Order cancelled");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page).toHaveURL(new RegExp(`type=${other.eventType}`));
  await expect(inMain(page).getByRole("row")).toHaveCount(4);
  const ofType = page.url();

  await page.getByLabel("Verdict").selectOption("Quarantined");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(inMain(page).getByRole("row")).toHaveCount(2);
  await expect(page).toHaveURL(/verdict=quarantined/);
  expect(page.url(), "what is not chosen does not stand in the address").not.toContain("from=");

  await page.reload();
  await expect(inMain(page).getByRole("row")).toHaveCount(2);
  await expect(page.getByLabel("Type")).toHaveValue(other.eventType);
  await expect(page.getByLabel("Verdict")).toHaveValue("quarantined");
  await page.goBack();
  await expect(page).toHaveURL(ofType);
  await expect(inMain(page).getByRole("row")).toHaveCount(4);
  await expect(page.getByLabel("Verdict")).toHaveValue("");

  await page.getByLabel("Token").selectOption("No token: anonymous");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.getByRole("heading", { name: "No event matches" })).toBeVisible();
  await page.getByRole("link", { name: "Clear the filter" }).click();
  await expect(page).toHaveURL(base);
  await expect(inMain(page).getByRole("row")).toHaveCount(51);

  await page.getByLabel("Before (UTC)").fill("2020-01-01T00:00");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.getByRole("heading", { name: "No event matches" })).toBeVisible();
});

test("older and newer neither repeat nor skip while events come", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(base);
  const first = await listed(page);
  const seen = [...first];
  let pages = 1;
  for (;;) {
    // more come before every turn of the page
    for (let number = 0; number < 7; number += 1) await server.send(door, { meanwhile: number });
    const older = page.getByRole("link", { name: "Older" });
    if ((await older.count()) === 0) break;
    await older.click();
    await expect(inMain(page).getByRole("table").getByRole("link").first()).not.toHaveAttribute("href", seen.at(-1)!);
    seen.push(...(await listed(page)));
    pages += 1;
  }
  expect(seen).toHaveLength(MANY + 3);
  expect(new Set(seen).size).toBe(seen.length);
  expect([...seen].sort().reverse(), "newest first").toEqual(seen);

  // all the way back, and on to what came meanwhile
  const place = page.url();
  await page.reload();
  expect(page.url()).toBe(place);
  const back: string[][] = [await listed(page)];
  for (;;) {
    const newer = page.getByRole("link", { name: "Newer" });
    if ((await newer.count()) === 0) break;
    const here = page.url();
    await newer.click();
    await expect(page).not.toHaveURL(here);
    back.unshift(await listed(page));
  }
  const again = back.flat();
  expect(new Set(again).size, "nothing twice").toBe(again.length);
  expect(again).toEqual(expect.arrayContaining(seen));
  expect(again).toHaveLength(MANY + 3 + 7 * pages);
  expect([...again].sort().reverse(), "nothing out of order").toEqual(again);
});

test("new events announce themselves and push nothing", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  const opened = page.waitForResponse(/\/stream/);
  await page.goto(base);
  await opened;
  const before = await listed(page);
  for (let number = 0; number < 3; number += 1) await server.send(door, { fresh: number });
  const news = page.getByRole("link", { name: "3 new — show" });
  await expect(news).toBeVisible();
  expect(await listed(page)).toEqual(before);
  await news.click();
  await expect(inMain(page).getByRole("row").nth(1)).toContainText('"fresh"');
  expect((await listed(page)).slice(3)).toEqual(before.slice(0, 47));
});

test("an event leads to those of its receipt, and back", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await server.send(door, [{ of: "three" }, { of: "them" }, { of: "all" }]);
  await page.goto(base);
  await inMain(page).getByRole("table").getByRole("link").nth(1).click();
  await page.getByRole("link", { name: "all its events" }).click();
  await expect(inMain(page).getByRole("table").getByRole("row")).toHaveCount(4);
  await page.goBack();
  await page.goBack();
  await expect(page).toHaveURL(base);
});

test("what the address asks wrongly is named and left out", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`${base}?from=yesterday&verdict=maybe`);
  await expect(page.getByText("Part of the filter was not understood")).toBeVisible();
  await expect(inMain(page).getByRole("row")).toHaveCount(51);
});

test("every time names its zone and gives UTC to machines", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(base);
  await inMain(page).getByRole("table").getByRole("link").first().click();
  const times = inMain(page).locator("time");
  expect(await times.count()).toBeGreaterThan(0);
  for (const time of await times.all()) await expect(time).toHaveAttribute("datetime", /Z$/);
  await expect(times.first()).toHaveText(/UTC/);
});
