// The core journeys in a browser that runs no script.
import { execFileSync } from "node:child_process";
import { expect, expectMistakes, inMain, PASSWORD, signOut, statusAfter, test } from "./journey";

test.describe.configure({ mode: "serial" });
test.use({ javaScriptEnabled: false });

test("from the link on the console to an event, a broken one, and a revoked token", async ({ page, server }) => {
  await page.goto(await server.printedUrl(/\/setup\?/));
  await page.getByLabel("Name", { exact: true }).fill("Ada Lovelace");
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  const make = () => page.getByRole("button", { name: "Make the account" }).click();
  expect(await statusAfter(page, make)).toBe(422);
  await expectMistakes(page, ["The same password again"]);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await make();

  await page.getByRole("link", { name: "Add the first tenant" }).click();
  await page.getByLabel("Name").fill("Acme Outdoor");
  await page.getByRole("button", { name: "Create tenant" }).click();
  await inMain(page).getByRole("link", { name: "New event type" }).first().click();
  await inMain(page).getByRole("link", { name: "Paste a JSON Schema" }).click();
  await page.getByLabel("Name of the event type").fill("Order placed");
  await page.getByLabel("JSON Schema 2020-12").fill('{ "type": ');
  const create = () => page.getByRole("button", { name: "Create event type" }).click();
  expect(await statusAfter(page, create)).toBe(422);
  await expectMistakes(page, ["JSON Schema 2020-12"]);
  await page.getByLabel("JSON Schema 2020-12").fill('{ "type": "object", "required": ["Amount"] }');
  await create();
  const type = page.url();
  await expect(page.getByRole("button", { name: /^Copy/ }), "what cannot work is not offered").toHaveCount(0);
  await expect(page.getByText("Reload the page to look again.")).toBeVisible();

  await inMain(page).getByRole("link", { name: "Create one" }).click();
  await page.getByLabel("Name").fill("Web shop");
  await page.getByRole("button", { name: "Create token" }).click();
  const token = (await page.locator("#token").textContent()) ?? "";
  const command = (await page.locator("#curl").textContent()) ?? "";
  await page.getByRole("link", { name: "Watch it arrive" }).click();
  const run = () => execFileSync("sh", ["-c", `${command} -s -w '\\n%{http_code}'`], { encoding: "utf8" });
  await expect.poll(run).toContain("201");

  await page.reload();
  await expect(page.getByText("Waiting for the first event…")).toHaveCount(0);
  await inMain(page).getByRole("link", { name: "Events", exact: true }).click();
  await expect(inMain(page).getByRole("row")).toHaveCount(2);
  await inMain(page).getByRole("table").getByRole("link").click();
  await expect(inMain(page).getByRole("region", { name: "Payload" })).toContainText('"Amount"');

  const [, tenant, eventType] = /tenants\/([^/]+)\/event-types\/([^/?]+)/.exec(type) ?? [];
  const door = { tenant, eventType, token };
  expect((await server.send(door, {})).status, "nothing of it was accepted").toBe(422);
  await expect(async () => {
    await page.goto("/");
    await inMain(page).getByRole("link", { name: "1 event" }).click({ timeout: 500 });
  }).toPass();
  await inMain(page).getByRole("link", { name: "/Amount is required but missing" }).click();
  await expect(page.getByRole("heading", { name: "What mends it" })).toBeVisible();

  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Live" }).click();
  await expect(page.locator("noscript")).toContainText("This page moves by JavaScript, which is off", { useInnerText: true });
  await expect(inMain(page).getByRole("button"), "no button that does nothing").toHaveCount(0);

  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Tokens" }).click();
  await inMain(page).getByRole("link", { name: "Web shop" }).click();
  await page.getByRole("link", { name: "Revoke…" }).click();
  await page.getByLabel("Type Web shop to confirm").fill("Web shop");
  await page.getByRole("button", { name: "Revoke token" }).click();
  await expect(page.getByText("The token is revoked")).toBeVisible();
  await expect.poll(async () => (await server.send(door, {})).status, { timeout: 1_000 }).toBe(401);

  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("button", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await signOut(page);
});

test("filters and pages of the explorer", async ({ visit, server }) => {
  const door = await server.addDoor("Northwind", "Ticket scanned");
  for (let number = 0; number < 60; number += 1) await server.send(door, { number });
  const page = await visit({ as: "ada@example.com", javaScriptEnabled: false });
  await page.goto(`/tenants/${door.tenant}/events`);
  await page.getByLabel("Type").selectOption("Ticket scanned");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("link", { name: "Older" }).click();
  await expect(inMain(page).getByRole("row")).toHaveCount(11);
  await page.getByRole("link", { name: "Newer" }).click();
  await expect(inMain(page).getByRole("row")).toHaveCount(51);
  await expect(page.getByLabel("Type")).toHaveValue(door.eventType);
});
