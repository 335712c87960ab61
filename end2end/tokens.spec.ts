// A consultant lives with a token: sees who uses it, rolls it with an overlap, sees when the sender has switched, ends
// the overlap, and finds all of it in the audit trail.
import fs from "node:fs";
import { expect, inMain, order, PASSWORD, statusAfter, test, type Door } from "./journey";
import type { Server } from "./server";

test.describe.configure({ mode: "serial" });
test.setTimeout(60_000);
let door: Door;
let id: string;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "administrator", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed");
  server.addUser("customer@example.com", "customer", PASSWORD, door.tenant);
  ({ id } = JSON.parse(server.command(["--json", "token", "list", "--tenant", door.tenant])));
});

/** Sends with a token of its own. */
const send = (server: Server, token: string) => server.send({ ...door, token }, order(1));

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : ", without JavaScript";
  test(`a token is rolled, and its overlap ended when the sender has switched${how}`, async ({ visit, server }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    await send(server, door.token);
    await server.untilUsed(door.tenant, id);
    await page.goto(`/tenants/${door.tenant}/tokens`);
    const row = inMain(page).getByRole("row").filter({ has: page.locator(`a[href$="${id}"]`) });
    await expect(row).toContainText("from 127.0.0.1");
    await row.getByRole("link", { name: "Web shop" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Web shop");
    await expect(inMain(page)).toContainText("the header X-CM-PRODUCTTOKEN");

    await page.getByRole("link", { name: "Roll…" }).click();
    await page.getByLabel("The successor expires").fill("yesterday");
    expect(await statusAfter(page, () => page.getByRole("button", { name: "Roll token" }).click())).toBe(422);
    await expect(page.getByRole("alert")).toContainText("An expiry is");
    await expect(page.getByLabel("The successor expires")).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByLabel("The successor expires")).toHaveValue("yesterday");
    await page.getByLabel("The successor expires").fill("");
    await page.getByLabel("In a week").check();
    await page.getByRole("button", { name: "Roll token" }).click();
    await expect(page.getByText("it will not be shown again")).toBeVisible();
    const secret = (await page.locator("#token").textContent()) ?? "";
    expect(secret).toMatch(/^trb_[A-Za-z0-9]{49}$/);
    await expect.poll(async () => (await send(server, secret)).status, { timeout: 1_000 }).toBe(201);
    expect((await send(server, door.token)).status, "both work").toBe(201);

    // never again, wherever one goes
    await page.getByRole("link", { name: "See whether it is still used" }).click();
    await expect(page.getByRole("heading", { name: "Being replaced" })).toBeVisible();
    expect(await page.content()).not.toContain(secret);
    await expect.poll(async () => (await page.reload(), inMain(page).textContent()), { timeout: 15_000 })
      .toContain("not switched yet");

    await page.getByRole("link", { name: "End or prolong…" }).click();
    await page.getByLabel("Now", { exact: true }).check();
    await page.getByRole("button", { name: "Change overlap" }).click();
    await expect(page.getByText("The overlap has ended")).toBeVisible();
    await expect.poll(async () => (await send(server, door.token)).status, { timeout: 1_000 }).toBe(401);
    expect((await send(server, secret)).status).toBe(201);
    // one that was ended too early says so, and can be brought back
    await expect(page.getByText("Its overlap has ended while its sender still used it")).toBeVisible();

    await page.getByRole("link", { name: "In the audit trail" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Audit trail");
    await expect(inMain(page).getByRole("row").nth(1)).toContainText("Changed the overlap of the token Web shop");
    await expect(inMain(page).getByRole("row").nth(1)).toContainText("ada@example.com");
    expect(await page.content()).not.toContain(secret);

    // the next round begins with the successor
    door = { ...door, token: secret };
    await page.goto(`/tenants/${door.tenant}/tokens/${id}`);
    await inMain(page).getByRole("link", { name: "Web shop" }).first().click();
    id = new URL(page.url()).pathname.split("/").pop() ?? "";
  });
}

test("what a token is good for is changed within a second", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${door.tenant}/tokens/${id}`);
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByLabel("Networks it may come from").fill("nowhere");
  expect(await statusAfter(page, () => page.getByRole("button", { name: "Save" }).click())).toBe(422);
  await page.getByLabel("Networks it may come from").fill("192.0.2.0/24");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved: it holds everywhere")).toBeVisible();
  await expect.poll(async () => (await send(server, door.token)).status, { timeout: 1_000 }).toBe(403);
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await page.getByLabel("Networks it may come from").fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await expect.poll(async () => (await send(server, door.token)).status, { timeout: 1_000 }).toBe(201);
  await expect.poll(async () => (await page.reload(), inMain(page).textContent()), { timeout: 15_000 })
    .toContain("outside its networks");
});

test("the trail is filtered, shared, turned and taken away", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${door.tenant}/audit`);
  await page.getByLabel("What").selectOption("token.roll");
  await page.getByLabel("Who").fill("ADA");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page).toHaveURL(/\?actor=ADA&action=token\.roll$/);
  await expect(inMain(page).getByRole("row")).toHaveCount(3);
  await page.reload();
  await expect(page.getByLabel("Who")).toHaveValue("ADA");
  await expect(page.getByLabel("What")).toHaveValue("token.roll");
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export" }).click()]);
  const lines = fs.readFileSync(await file.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  expect(lines.map((line) => [line.action, line.actor])).toEqual(Array(2).fill(["token.roll", "ada@example.com"]));
  await page.getByRole("link", { name: "Clear" }).click();
  await expect(page).toHaveURL(/\/audit$/);
});

test("a customer reads who did what to them, and no more", async ({ visit }) => {
  const page = await visit({ as: "customer@example.com" });
  await page.goto("/");
  await page.getByRole("link", { name: "Audit trail" }).click();
  await expect(inMain(page)).toContainText("Rolled the token Web shop");
  await expect(inMain(page)).not.toContainText("127.0.0.1");
  await expect(inMain(page).locator("ins")).toHaveCount(0);
  expect((await page.goto("/audit"))?.status()).toBe(403);
});
