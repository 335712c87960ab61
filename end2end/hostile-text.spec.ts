// Somebody writes SQL and HTML into every field: it comes back as they wrote it, as text, and nothing of it runs.
import { type Page } from "@playwright/test";
import { expect, inMain, PASSWORD, test } from "./journey";

const EVIL = `'"><script>window.pwned=1</script><img src=x onerror=window.pwned=1>'; DROP TABLE events;--`;
const JSON_EVIL = JSON.stringify({ [EVIL]: EVIL, "</script><script>window.pwned=1</script>": "</textarea><svg onload=window.pwned=1>" });
const CONTRACT = JSON.stringify({ type: "object", title: EVIL, properties: { [EVIL]: { type: "integer", description: EVIL } } });

async function expectUnharmed(page: Page): Promise<void> {
  expect(await page.evaluate(() => (window as any).pwned), page.url()).toBeUndefined();
  expect(await page.locator("main script, main img, main svg[onload], header script").count(), page.url()).toBe(0);
}

/** Fills every text field of the page's form. */
async function fillAll(page: Page, text: string): Promise<void> {
  const fields = inMain(page).locator("form.form").first().locator("input:not([type=hidden], [type=file], [type=checkbox], [type=radio]), textarea");
  for (const field of await fields.all()) await field.fill(text);
}

/** Posts the form with evil in every field, and sees the page again with what was typed. */
async function comesBack(page: Page, path: string, button: string): Promise<void> {
  await page.goto(path);
  await fillAll(page, EVIL);
  await inMain(page).getByRole("button", { name: button }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expectUnharmed(page);
  const fields = inMain(page).locator("form.form").first().locator("input[type=text], input[type=email], textarea");
  for (const field of await fields.all()) await expect(field).toHaveValue(EVIL);
}

test("what is typed comes back as text", async ({ page, visit, server }) => {
  // every form there is
  test.setTimeout(120_000);
  await comesBack(page, await server.printedUrl(/\/setup\?/), "Make the account");
  await page.getByLabel("Name", { exact: true }).fill(EVIL);
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();
  await expect(page).toHaveURL("/");
  await expectUnharmed(page);
  await page.getByRole("button", { name: /^Account of/ }).click();
  await expect(page.locator("#menu-account")).toContainText(EVIL);

  await comesBack(await visit(), "/login", "Sign in");
  await comesBack(page, "/tenants/new", "Create tenant");
  await comesBack(page, "/account", "Change password");

  // and a tenant that is called so
  await page.goto("/tenants/new");
  await page.getByLabel("Name").fill(EVIL);
  await page.getByRole("button", { name: "Create tenant" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(EVIL);
  const tenant = new URL(page.url()).pathname;

  await page.goto(`${tenant}/settings`);
  await page.getByLabel("Web pages").fill(EVIL);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page.getByLabel("Web pages")).toHaveValue(EVIL);
  await expectUnharmed(page);

  await comesBack(page, `${tenant}/event-types/new?as=json`, "Create event type");
  await page.getByLabel("Id").fill("");
  await page.getByLabel("Fields that make an event unique").fill(EVIL);
  await page.getByLabel("JSON Schema 2020-12").fill(CONTRACT);
  await page.getByRole("button", { name: "Create event type" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(EVIL);
  await expect(inMain(page)).toContainText(EVIL);
  await expectUnharmed(page);
  const type = new URL(page.url()).pathname;
  await page.goto(`${type}/edit`);
  await expect(page.getByLabel("Description")).toHaveValue(EVIL);
  await page.goto(`${type}/contract`);
  await expect(inMain(page)).toContainText("Edit as JSON");
  await expect(page.locator("#f0-name")).toHaveValue(EVIL);
  await expectUnharmed(page);
  await page.goto(`${type}/contract?as=json`);
  await expect(page.locator("#contract")).toHaveValue(CONTRACT);
  await expectUnharmed(page);

  await comesBack(page, `${tenant}/tokens/new`, "Create token");
  await page.goto(`${tenant}/tokens/new`);
  await page.getByLabel("Name").fill(EVIL);
  await page.getByLabel(EVIL).check();
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(EVIL);
  const token = (await page.locator("#token").textContent()) ?? "";
  await expectUnharmed(page);

  const [, tenantId, , eventType] = type.split("/").slice(1);
  const door = { tenant: tenant.split("/")[2], eventType: eventType ?? tenantId, token };
  await server.untilOpen(door);
  const live = await visit({ as: "ada@example.com" });
  await live.goto(`${tenant}/live`);
  await expect(live.getByText("Connected", { exact: true })).toBeVisible();
  await page.goto(type);
  expect((await server.send(door, JSON_EVIL)).status, "it breaks the contract").toBe(422);
  await expect(live.getByRole("listitem").filter({ hasText: "quarantined" })).toContainText("window.pwned");
  await expectUnharmed(live);
  await expect(page.getByText("The first event has arrived, in quarantine")).toBeVisible();
  await expectUnharmed(page);
  await page.getByRole("link", { name: "Look at it" }).click();
  await expect(inMain(page).getByRole("region", { name: "Payload" })).toContainText("</textarea><svg onload=window.pwned=1>");
  await expect(inMain(page).getByRole("table")).toContainText("window.pwned");
  const event = new URL(page.url()).pathname;

  const query = encodeURIComponent(EVIL);
  for (const path of [
    "/", "/tenants", tenant, `${tenant}/event-types`, `${tenant}/tokens`, `${tenant}/events`, `${tenant}/quarantine`,
    `${event}?payload=as-sent`, `${type}/disable`, `${tenant}/disable`,
    `${tenant}/events?type=${query}&source=${query}&verdict=${query}&from=${query}&until=${query}&receipt=${query}&before=${query}`,
    `${tenant}?done=${query}`, `/login?next=${query}`, `/${query}`, `${tenant}/events/${query}`, `/setup?token=${query}`,
  ]) {
    await page.goto(path);
    await expectUnharmed(page);
  }
  await page.goto(`${tenant}/tokens`);
  await inMain(page).getByRole("rowheader").getByRole("link").click();
  for (const act of ["Roll…", "Edit"]) {
    const link = page.getByRole("link", { name: act, exact: true });
    await link.click();
    await expect(page.getByRole("heading", { level: 1 })).toContainText(EVIL);
    await expectUnharmed(page);
    await page.goBack();
  }
  await expectUnharmed(page);
  await page.getByRole("link", { name: "In the audit trail" }).click();
  await expect(inMain(page)).toContainText(EVIL);
  await expectUnharmed(page);
  await page.goto(`${tenant}/audit?actor=${query}&action=${query}&object=${query}&from=${query}`);
  await expectUnharmed(page);
  await page.goto(`${tenant}/tokens`);
  await inMain(page).getByRole("rowheader").getByRole("link").click();
  await page.getByRole("link", { name: /^Revoke…/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(EVIL);
  await page.getByLabel(/to confirm$/).fill(`${EVIL}.`);
  await page.getByRole("button", { name: "Revoke token" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expectUnharmed(page);
  await page.getByLabel(/to confirm$/).fill(EVIL);
  await page.getByRole("button", { name: "Revoke token" }).click();
  await expect(page.getByText("The token is revoked")).toBeVisible();
});
