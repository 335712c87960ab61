// A consultant takes something away again: a token, an event type, a tenant. Each says first what it means.
import { expect, expectMistakes, inMain, PASSWORD, statusAfter, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed");
  for (const n of [1, 2, 3]) await server.send(door, { n });
});

test("an event type is disabled by who knows what it stops, and enabled again", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${door.tenant}/event-types/${door.eventType}`);
  await page.getByRole("link", { name: "Disable…" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Disable Order placed");
  await expect(inMain(page).getByRole("listitem").filter({ hasText: "accepted in the last 24 hours" })).toContainText("3");
  await expect(inMain(page).getByRole("listitem").filter({ hasText: "token" })).toContainText("1");
  await page.getByRole("link", { name: "Keep it" }).click();
  expect((await server.send(door, { n: 4 })).status).toBe(201);

  await page.getByRole("link", { name: "Disable…" }).click();
  await page.getByRole("button", { name: "Disable event type" }).click();
  await expect(page.getByText("The event type is disabled")).toBeVisible();
  await expect.poll(async () => (await server.send(door, { n: 5 })).status, { timeout: 1_000 }).toBe(404);
  await page.getByRole("button", { name: "Enable" }).click();
  await expect(page.getByText("The event type is enabled")).toBeVisible();
  await expect.poll(async () => (await server.send(door, { n: 6 })).status, { timeout: 1_000 }).toBe(201);
});

test("a tenant is disabled by who knows what it stops, and enabled again", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${door.tenant}/settings`);
  await page.getByRole("link", { name: "Disable…" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Disable Acme Outdoor");
  await expect(inMain(page).getByRole("listitem").filter({ hasText: "event type" })).toContainText("1");
  await expect(inMain(page).getByRole("listitem").filter({ hasText: "token" })).toContainText("1");
  await page.getByRole("button", { name: "Disable tenant" }).click();
  await expect(page.getByText("The tenant is disabled").first()).toBeVisible();
  await expect.poll(async () => (await server.send(door, { n: 7 })).status, { timeout: 1_000 }).not.toBe(201);
  await page.getByRole("button", { name: "Enable" }).click();
  await expect.poll(async () => (await server.send(door, { n: 8 })).status, { timeout: 1_000 }).toBe(201);
});

test("a token is revoked by who types its name, and its sender is refused within a second", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${door.tenant}/tokens`);
  await expect(inMain(page).getByRole("row", { name: /Web shop/ }), "its last use is told").not.toContainText("never used");
  await page.getByRole("link", { name: "Web shop" }).click();
  await page.getByRole("link", { name: "Revoke…" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Revoke the token Web shop");
  const revoke = () => page.getByRole("button", { name: "Revoke token" }).click();
  expect(await statusAfter(page, revoke)).toBe(422);
  await expectMistakes(page, ["Type Web shop to confirm"]);
  await page.getByLabel("Type Web shop to confirm").fill("web shop");
  expect(await statusAfter(page, revoke), "to the letter").toBe(422);
  expect((await server.send(door, { n: 9 })).status).toBe(201);

  await page.getByLabel("Type Web shop to confirm").fill("Web shop");
  await revoke();
  await expect(page.getByText("The token is revoked")).toBeVisible();
  await expect.poll(async () => (await server.send(door, { n: 10 })).status, { timeout: 1_000 }).toBe(401);
  await expect(page.getByRole("link", { name: "Revoke…" })).toHaveCount(0);
  await page.goto(`/tenants/${door.tenant}/tokens`);
  await expect(inMain(page).getByRole("row", { name: /Web shop/ })).toContainText("revoked");
});
