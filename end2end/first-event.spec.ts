// A consultant connects a sender: from the console's link to the first event on the screen.
import { execFileSync } from "node:child_process";
import { type Page } from "@playwright/test";
import { expect, expectMistakes, inMain, PASSWORD, statusAfter, test } from "./journey";

test.describe.configure({ mode: "serial" });

/** Runs a command as it was copied from a page. */
function shell(command: string, env: Record<string, string> = {}): string {
  return execFileSync("sh", ["-c", `${command} -s -w '\\n%{http_code}'`], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
}

/** What a click on the copy button in `part` puts on the clipboard, once the button says so. */
async function copied(page: Page, name: RegExp): Promise<string> {
  const button = inMain(page).getByRole("button", { name });
  await button.click();
  await expect(inMain(page).getByRole("button", { name: /^Copied/ })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Copied" }), "a screen reader is told").toHaveCount(1);
  const text = await page.evaluate(() => navigator.clipboard.readText());
  await expect(button, "and the button is itself again").toBeVisible();
  return text;
}

test("from the started program to the first event in at most 12 clicks", async ({ page, server }) => {
  let clicks = 0;
  await page.exposeBinding("oneMoreClick", () => (clicks += 1));
  await page.addInitScript(() =>
    addEventListener("click", (event) => event.detail > 0 && (window as any).oneMoreClick(), true),
  );

  await page.goto(await server.printedUrl(/\/setup\?/));
  await page.getByLabel("Name", { exact: true }).fill("Ada Lovelace");
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("link", { name: "Add the first tenant" }).click();
  await page.getByLabel("Name").fill("Acme Outdoor");
  await page.getByRole("button", { name: "Create tenant" }).click();
  await inMain(page).getByRole("link", { name: "New event type" }).first().click();
  await page.getByLabel("Name of the event type").fill("Order placed");
  await page.getByRole("button", { name: "Create event type" }).click();
  await expect(page.getByText("Waiting for the first event…")).toBeVisible();
  await inMain(page).getByRole("link", { name: "Create one" }).click();
  await page.getByLabel("Name").fill("Web shop");
  await page.getByRole("button", { name: "Create token" }).click();
  const command = await copied(page, /^Copy curl/);
  await page.getByRole("link", { name: "Watch it arrive" }).click();
  await expect(page.getByText("Waiting for the first event…")).toBeVisible();

  await expect.poll(() => shell(command), "known to the front door within a second").toContain("201");
  await expect(page.getByText("The first event has arrived")).toBeVisible({ timeout: 2_000 });
  await page.getByRole("link", { name: "Look at it" }).click();
  await expect(inMain(page).getByRole("region", { name: "Payload" })).toContainText("ada@example.com");
  console.log(`    clicks: ${clicks}`);
  expect(clicks).toBeLessThanOrEqual(12);
});

test("a contract with a mistake is told, and nothing typed is lost", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto("/");
  await page.getByRole("link", { name: "Acme Outdoor" }).click();
  await inMain(page).getByRole("link", { name: "New event type" }).click();
  await inMain(page).getByRole("link", { name: "Paste a JSON Schema" }).click();
  await page.getByLabel("Name of the event type").fill("Ticket scanned");
  await page.getByLabel("Description").fill("One line for each\nturnstile");
  const contract = inMain(page).getByLabel("JSON Schema 2020-12");
  const create = () => page.getByRole("button", { name: "Create event type" }).click();

  const mistakes: [string, RegExp][] = [
    ['{ "type": "object", }', /line 1/i],
    ['{ "type": "objekt" }', /objekt|type/],
    ['{ "$ref": "https://example.com/schema.json" }', /documents elsewhere are never fetched/],
  ];
  for (const [text, said] of mistakes) {
    await contract.fill(text);
    expect(await statusAfter(page, create)).toBe(422);
    await expectMistakes(page, ["JSON Schema 2020-12"]);
    await expect(page.getByRole("alert")).toContainText(said);
    await expect(contract).toHaveValue(text);
    await expect(page.getByLabel("Name")).toHaveValue("Ticket scanned");
    await expect(page.getByLabel("Description")).toHaveValue("One line for each\nturnstile");
  }
  await contract.fill('{ "type": "object", "required": ["Gate"], "properties": { "Gate": { "type": "string" } } }');
  await create();
  await expect(page.getByRole("heading", { level: 1, name: "Ticket scanned" })).toBeVisible();
  await expect(inMain(page).getByRole("status").first()).toContainText("created");
});

test("a token is shown once, and what a sender needs is copied exactly", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto("/");
  await page.getByRole("link", { name: "Acme Outdoor" }).click();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Tokens" }).click();
  await inMain(page).getByRole("link", { name: "New token" }).click();
  await page.getByLabel("Name").fill("Turnstiles");
  await page.getByLabel("Ticket scanned").check();
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByText("it will not be shown again")).toBeVisible();
  const token = await copied(page, /^Copy Token/);
  expect(token).toMatch(/^trb_\w{20,}$/);
  await expect(page.locator("#token")).toHaveText(token);

  await page.getByRole("link", { name: "I have copied it" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Turnstiles");
  await expect(inMain(page)).toContainText("Ticket scanned");
  expect(await page.content()).not.toContain(token);
  // no cache keeps the page: the browser would have to send the form again, and asks first
  await expect(page.goBack()).rejects.toThrow(/ERR_CACHE_MISS/);

  // the browser's own page about that may still be on its way
  await expect(() => page.goto("/")).toPass();
  await page.getByRole("link", { name: "Acme Outdoor" }).click();
  await inMain(page).getByRole("link", { name: "Ticket scanned" }).click();
  const address = await copied(page, /^Copy Address/);
  expect(address).toMatch(new RegExp(`^${server.url}/events/v1\\.0/tenants/[0-9a-f-]{36}/events/[0-9a-f-]{36}$`));
  await page.getByRole("link", { name: "Token in the address" }).click();
  await expect(page.locator("#snippet-0")).toContainText("?X-CM-PRODUCTTOKEN=");
  await page.getByRole("link", { name: "Token as a header" }).click();
  const command = (await page.locator("#snippet-0").textContent()) ?? "";
  expect(command).toContain(address);
  expect(command).toContain("X-CM-PRODUCTTOKEN: ");

  await expect(page.getByText("Waiting for the first event…")).toBeVisible();
  const before = page.url();
  await page.evaluate(() => ((window as any).notReloaded = true));
  await expect.poll(() => shell(command, { TRIBUTARY_TOKEN: token })).toContain("201");
  await expect(page.getByText("The first event has arrived")).toBeVisible({ timeout: 2_000 });
  expect(await page.evaluate(() => (window as any).notReloaded)).toBe(true);
  expect(page.url()).toBe(before);

  // and the other form, in the address
  const payload = '{ "Gate" : "North", "n": 12345678901234567890, "x": 1.0 }';
  const sent = await fetch(`${address}?X-CM-PRODUCTTOKEN=${token}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: payload,
  });
  expect(sent.status).toBe(201);
  const { receiptId } = await sent.json();

  await page.getByRole("link", { name: "Look at it" }).click();
  await expect(page).toHaveURL(/\/events\/[0-9a-f-]{36}$/);
  await page.goto(page.url().replace(/[0-9a-f-]{36}$/, `${receiptId.slice(0, -4)}0001`));
  await expect(inMain(page).getByText(receiptId, { exact: true }), "the receipt stands there").toBeVisible();
  await expect(inMain(page).getByText("accepted", { exact: true })).toBeVisible();
  expect(await copied(page, /^Copy Payload/), "big numbers and spaces as they were sent").toBe(payload);
  await page.getByRole("link", { name: "As sent" }).click();
  await expect(page.locator("#payload")).toHaveText(payload, { useInnerText: false });
  await page.reload();
  await expect(page.locator("#payload"), "which view is shown stands in the address").toHaveText(payload);

  expect(server.output(), "no token in the log").not.toContain(token);
});

test("an event that is broken from the first is told as that", async ({ visit, server }) => {
  const tenant = server.addTenant("Northwind");
  const door = {
    tenant,
    eventType: server.addEventType(tenant, "Visit planned", { type: "object", required: ["Visitor"] }),
    token: server.addToken(tenant, "CRM").token,
  };
  await server.untilOpen(door);
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${tenant}/event-types/${door.eventType}`);
  expect((await server.send(door, {})).status).toBe(422);
  await expect(page.getByText("The first event has arrived, in quarantine")).toBeVisible();
});
