// An external system is set up, tried, probed and polled, and the page proves that nothing was missed; scripts on and
// off.
import type { Page } from "@playwright/test";
import { untilSays } from "./house-sources";
import { expect, expectMistakes, inMain, PASSWORD, statusAfter, test } from "./journey";
import { Vendor } from "./server";

test.describe.configure({ mode: "serial" });
test.setTimeout(90_000);
const TOKEN = "the-secret-of-the-warehouse";
let tenant: string;
let eventType: string;
let vendor: Vendor;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  tenant = server.addTenant("Acme Outdoor");
  eventType = server.addEventType(tenant, "Item changed");
  server.addUser("customer@example.com", "customer", PASSWORD, tenant);
  vendor = await Vendor.start(["--records", "900", "--hours", "48", "--token", TOKEN]);
});

test.afterAll(() => vendor.stop());

const field = (page: Page, label: string) => inMain(page).getByLabel(label, { exact: true });
const press = (page: Page, name: string) => inMain(page).getByRole("button", { name, exact: true }).click();

async function fillIn(page: Page, name: string): Promise<void> {
  await field(page, "Name").fill(name);
  await field(page, "Address").fill(vendor.url);
  await field(page, "Token").fill(TOKEN);
  await field(page, "Where the records are").fill("$.data.items");
  await field(page, "How an answer goes on").selectOption("nextInBody");
  await field(page, "Where it stands in the answer").fill("$.meta.next");
  await page.locator("#record_id").fill("/id");
  await page.locator("#record_time").fill("/changed");
  await field(page, "Seconds to settle").fill("0");
}

for (const javaScriptEnabled of [true, false]) {
  test(`from the form to the proof and back from an event, scripts ${javaScriptEnabled ? "on" : "off"}`, async ({ visit }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    const name = `Warehouse ${javaScriptEnabled}`;
    // from the event type to the form, whose mistakes stand at their fields
    await page.goto(`/tenants/${tenant}/event-types/${eventType}`);
    await inMain(page).getByRole("link", { name: /Poll a source|New source/ }).click();
    await expect(field(page, "Event type")).toHaveValue(eventType);
    await field(page, "Name").fill(name);
    expect(await statusAfter(page, () => press(page, "Create source"))).toBe(422);
    if (javaScriptEnabled) await expectMistakes(page, ["Address"]);
    await expect(field(page, "Name")).toHaveValue(name);
    // tried: the events that the records would become; nothing is stored
    await fillIn(page, name);
    await press(page, "Try it");
    await expect(page.locator("#result")).toContainText("found on the first page");
    await expect(page.locator("#result")).toContainText("Bearer …");
    await expect(page.locator("#result").getByText("accepted").first()).toBeVisible();
    expect(await page.content()).not.toContain(TOKEN);
    // probed: what was found is filled in
    await press(page, "Probe the boundary");
    await expect(page.locator("#result")).toContainText("is looked at");
    await expect(page.locator("#result").getByText("certain").first()).toBeVisible();
    await press(page, "Fill in what was found");
    await expect(field(page, "It tells moments apart by")).toHaveValue("milliseconds");
    // created with the token that was typed before the tries
    await press(page, "Create source");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    const here = new URL(page.url()).pathname;
    await untilSays(page, here, /no gap, no double/);
    expect(await page.content()).not.toContain(TOKEN);
    // from the ledger to the evidence, to an event, and back to the exact request
    await page.locator("#ledger").getByRole("row").nth(1).getByRole("link").click();
    await expect(inMain(page)).toContainText("All of it is stored");
    await expect(inMain(page)).toContainText("/records?from=");
    const evidence = new URL(page.url()).pathname;
    await inMain(page).getByRole("link", { name: "its events" }).first().click();
    await inMain(page).getByRole("rowheader").first().getByRole("link").click();
    await expect(page.getByRole("heading", { name: "Where it came from" })).toBeVisible();
    await expect(page.locator("#lineage")).toContainText("/records?from=");
    await inMain(page).locator(`a[href^="${evidence}"]`).click();
    await expect(page).toHaveURL(new RegExp(evidence));
  });
}

test("it is paused and resumed, and home says so", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${tenant}/sources`);
  await inMain(page).getByRole("link", { name: "Warehouse true" }).click();
  await press(page, "Pause");
  await expect(inMain(page)).toContainText("It is paused");
  await page.goto("/");
  await inMain(page).getByRole("link", { name: /^See the source.*Warehouse true/ }).click();
  await press(page, "Resume");
  await expect(inMain(page)).toContainText("The source goes on");
  await press(page, "Run now");
  await expect(inMain(page)).toContainText("asked up to the present");
});

test("a range of the past is told before it is asked for", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${tenant}/sources`);
  await inMain(page).getByRole("link", { name: "Warehouse true" }).click();
  const here = new URL(page.url()).pathname;
  await inMain(page).getByRole("link", { name: "Backfill…" }).click();
  const until = await field(page, "Until (UTC)").inputValue();
  const from = new Date(new Date(`${until.slice(0, 16)}Z`).getTime() - 24 * 3_600_000);
  await field(page, "From (UTC)").fill(from.toISOString().slice(0, 16));
  await field(page, "Asked for by").selectOption("6h");
  await press(page, "What would it take?");
  await expect(inMain(page)).toContainText("before the ledger");
  await press(page, "Ask for it");
  await untilSays(page, here, /by a backfill/);
  await untilSays(page, here, /no gap, no double/);
  await expect(inMain(page)).toContainText("Had a range asked for of the source");
});

test("its file makes another one, and is found by its name", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${tenant}/sources`);
  await inMain(page).getByRole("link", { name: "Warehouse true" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    inMain(page).getByRole("link", { name: "Export as a file" }).click(),
  ]);
  const file = await download.path();
  await page.goto(`/tenants/${tenant}/sources/import`);
  await page.locator("#file").setInputFiles(file);
  await press(page, "Read it");
  await expect(field(page, "Name")).toHaveValue("Warehouse true");
  await field(page, "Name").fill("Warehouse copied");
  await field(page, "Event type").selectOption(eventType);
  await field(page, "Token").fill(TOKEN);
  await press(page, "Create source");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Warehouse copied");
  await page.goto("/search?q=warehouse%20copied");
  await expect(inMain(page).getByRole("link", { name: /Warehouse copied/ })).toBeVisible();
});

test("a customer sees that it is complete, and not how it is set up", async ({ visit }) => {
  const page = await visit({ as: "customer@example.com" });
  await page.goto(`/tenants/${tenant}/sources`);
  await inMain(page).getByRole("link", { name: "Warehouse true" }).click();
  await expect(inMain(page)).toContainText("no gap, no double");
  await expect(inMain(page)).not.toContainText("/records");
  await expect(inMain(page).getByRole("button")).toHaveCount(0);
});
