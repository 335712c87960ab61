// One's own time zone, on pages, in filters and in the way of time in full; a new type without JSON; narrow tables.
import { expect, inMain, PASSWORD, test } from "./journey";

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`times are told and asked for in one's own zone, ${how}`, async ({ visit, server }) => {
    const door = await server.addDoor(`Acme ${how}`, "Order placed", {});
    await server.send(door, { Amount: 1 });
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    const trail = `/tenants/${door.tenant}/audit`;
    await page.goto(trail);
    await page.getByRole("button", { name: /^Account of/ }).click();
    await page.getByRole("link", { name: /^Times in/ }).click();
    await page.getByLabel("Your time zone").selectOption("Asia/Kathmandu");
    await page.getByRole("button", { name: "Use this zone" }).click();
    await expect(page).toHaveURL(trail);
    await expect(inMain(page).locator("time").first()).toContainText(/\+0545 \(\d\d:\d\d:\d\d UTC/);
    await page.getByLabel("From (Asia/Kathmandu)").fill("2020-01-01T05:45");
    await page.getByRole("button", { name: "Filter" }).click();
    await expect(page, "an address means the same to everybody").toHaveURL(/from=2020-01-01T00%3A00Z/);
    await expect(page.getByLabel("From (Asia/Kathmandu)")).toHaveValue("2020-01-01T05:45");

    await page.goto(`/tenants/${door.tenant}/events`);
    await expect(inMain(page).locator("tbody a").first()).toContainText("+0545");

    // in a list that tells how long ago: when the link of the row has the focus
    const full = inMain(page).locator("tbody .ago-full").first();
    await expect(async () => {
      await page.goto(`/tenants/${door.tenant}/event-types`);
      await expect(full, "the event is counted").toContainText("+0545", { timeout: 500 });
    }).toPass();
    const size = async () => (await full.boundingBox())?.width ?? 0;
    expect(await size()).toBeLessThan(5);
    await inMain(page).locator("tbody a").first().focus();
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Tab");
    expect(await size()).toBeGreaterThan(100);
    if (javaScriptEnabled) {
      await page.keyboard.press("Escape");
      await expect(full).toBeHidden();
    }
  });

  test(`a type is made field by field, ${how}`, async ({ visit, server }) => {
    const door = await server.addDoor(`Fields ${how}`, "Order placed", {});
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    await page.goto(`/tenants/${door.tenant}/event-types/new`);
    await page.getByLabel("Name of the event type").fill("Ticket sold");
    const added = page.getByRole("group", { name: "Add a field" });
    await added.getByLabel("Name").fill("Ticket ID");
    await added.getByLabel("Required").check();
    await added.getByRole("button", { name: "Add" }).click();
    await expect(page.getByRole("group", { name: "Field /Ticket ID" }).getByLabel("Required")).toBeChecked();
    await expect(page.getByLabel("Name of the event type"), "what was typed is kept").toHaveValue("Ticket sold");
    await page.getByLabel("Fields that make an event unique").fill("Ticket ID");
    await page.getByRole("radio", { name: /Refuse/i }).check();
    await page.getByRole("button", { name: "Create event type" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Ticket sold");
    await expect(inMain(page)).toContainText("/Ticket ID");
  });
}

test("narrow tables show every cell, and the place one is at", async ({ visit, server }) => {
  const door = await server.addDoor("Narrow", "Order placed", {});
  const page = await visit({ as: "ada@example.com" });
  await page.setViewportSize({ width: 320, height: 800 });
  await page.goto(`/tenants/${door.tenant}/tokens`);
  const box = inMain(page).locator(".table-box").first();
  expect(await box.evaluate((e) => e.scrollWidth <= e.clientWidth)).toBe(true);
  await expect(box.getByRole("columnheader").first()).toBeAttached();
  await expect(box.getByRole("rowheader").first()).toBeVisible();
  const here = await page.locator(".side [aria-current]").boundingBox();
  expect(here && here.x >= 0 && here.x + here.width <= 320).toBe(true);
});
