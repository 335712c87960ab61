// The core journeys by keyboard alone: Tab, Shift+Tab, Enter, Space, typing. No click, no focus set from outside; at
// each stop one sees where one is.
import { type Locator, type Page } from "@playwright/test";
import { expect, expectMistakes, inMain, PASSWORD, test } from "./journey";
import { focusStop } from "./focus";

test.describe.configure({ mode: "serial" });

/** Presses Tab until `target` has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible();
  for (let stops = 0; stops < 80; stops += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
    expect((await page.evaluate(focusStop)).fault).toBeNull();
  }
  throw new Error(`80 stops, and ${target} was none of them`);
}

async function type(page: Page, label: string | RegExp, text: string): Promise<void> {
  await tabTo(page, inMain(page).getByLabel(label, { exact: typeof label === "string" }));
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

async function press(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press("Enter");
}

test("from the link on the console to the first event", async ({ page, server }) => {
  await page.goto(await server.printedUrl(/\/setup\?/));
  await expect(page.getByLabel("Name", { exact: true }), "the first field has the focus").toBeFocused();
  await type(page, "Name", "Ada Lovelace");
  await type(page, "E-mail", "ada@example.com");
  await type(page, "Password", PASSWORD);
  await page.keyboard.press("Enter");
  await expectMistakes(page, ["The same password again"]);
  // the summary leads to the field
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("The same password again")).toBeFocused();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.type(PASSWORD);
  await type(page, "The same password again", PASSWORD);
  await page.keyboard.press("Enter");

  await press(page, page.getByRole("link", { name: "Add the first tenant" }));
  await type(page, "Name", "Acme Outdoor");
  await page.keyboard.press("Enter");
  await press(page, inMain(page).getByRole("link", { name: "New event type" }).first());
  await press(page, inMain(page).getByRole("link", { name: "Paste a JSON Schema" }));
  await type(page, "Name of the event type", "Order placed");
  await type(page, "JSON Schema 2020-12", '{ "type": "object", "required": ["Amount"] }');
  await tabTo(page, page.getByRole("radio", { checked: true }));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await press(page, page.getByRole("button", { name: "Create event type" }));
  await press(page, inMain(page).getByRole("link", { name: "Create one" }));
  await type(page, "Name", "Web shop");
  await press(page, page.getByRole("button", { name: "Create token" }));
  await press(page, inMain(page).getByRole("button", { name: /^Copy Token/ }));
  await expect(inMain(page).getByRole("button", { name: /^Copied Token/ })).toBeFocused();
  const token = await page.evaluate(() => navigator.clipboard.readText());
  await press(page, page.getByRole("link", { name: "Watch it arrive" }));
  await expect(page.getByText("Waiting for the first event…")).toBeVisible();

  const [, tenant, eventType] = /tenants\/([^/]+)\/event-types\/([^/?]+)/.exec(page.url()) ?? [];
  const door = { tenant, eventType, token };
  await server.untilOpen(door);
  await server.send(door, { Amount: 1 });
  await expect(page.getByText("The first event has arrived")).toBeVisible();
  await press(page, page.getByRole("link", { name: "Look at it" }));
  await expect(inMain(page).getByRole("region", { name: "Payload" })).toContainText("Amount");
  await server.send(door, {});
});

test("from home to what is wrong with an event; filtering; the live tail", async ({ page, server }) => {
  await page.goto("/login");
  await type(page, "E-mail", "ada@example.com");
  await type(page, "Password", PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await press(page, inMain(page).getByRole("link", { name: "1 event" }));
  await expect(page).toHaveURL(/\/quarantine$/);
  const group = inMain(page).getByRole("rowheader").getByRole("link");
  await expect(async () => {
    await page.reload();
    await expect(group).toBeVisible({ timeout: 500 });
  }).toPass();
  await press(page, group);
  await expect(page.getByRole("heading", { name: "What is wrong" })).toBeVisible();
  await press(page, inMain(page).getByRole("link", { name: /UTC$/ }).first());
  await expect(page.getByRole("heading", { name: "Why it is in quarantine" })).toBeVisible();

  await press(page, page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Events" }));
  await tabTo(page, page.getByLabel("Verdict"));
  await page.keyboard.type("Acc");
  await press(page, page.getByRole("button", { name: "Filter" }));
  await expect(page).toHaveURL(/verdict=accepted/);
  await expect(inMain(page).getByRole("row")).toHaveCount(2);

  await press(page, page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Live" }));
  await expect(page.getByText("Connected", { exact: true })).toBeVisible();
  await tabTo(page, page.getByRole("button", { name: "Pause" }));
  await page.keyboard.press("Space");
  await expect(page.getByText("Paused", { exact: true })).toBeVisible();
  expect(server.output()).not.toContain("panicked");
});

test("switching tenants, the theme, revoking a token, signing out", async ({ page, server }) => {
  server.addTenant("Northwind");
  await page.goto("/login");
  await type(page, "E-mail", "ada@example.com");
  await type(page, "Password", PASSWORD);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/");

  await press(page, page.getByRole("button", { name: /^Tenant:/ }));
  await press(page, page.locator("#menu-tenants").getByRole("link", { name: "Acme Outdoor" }));
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Acme Outdoor");
  await press(page, page.getByRole("button", { name: /^Account of/ }));
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Dark" })).toBeHidden();
  await expect(page.getByRole("button", { name: /^Account of/ }), "the focus comes back").toBeFocused();
  await page.keyboard.press("Enter");
  await press(page, page.getByRole("button", { name: "Dark" }));
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");

  await press(page, page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Tokens" }));
  await press(page, inMain(page).getByRole("link", { name: "Web shop" }));
  await press(page, page.getByRole("link", { name: "Revoke…" }));
  await type(page, "Type Web shop to confirm", "Web shop");
  await page.keyboard.press("Enter");
  await expect(page.getByText("The token is revoked")).toBeVisible();

  await press(page, page.getByRole("button", { name: /^Account of/ }));
  await press(page, page.getByRole("button", { name: "Sign out" }));
  await expect(page).toHaveURL("/login");
});
