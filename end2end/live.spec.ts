// A consultant watches events come in.
import { expect, inMain, PASSWORD, test, type Door } from "./journey";

let door: Door;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed", { required: ["n"] });
});

test("an event shows at once; a pause keeps what comes, and going on shows it", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${door.tenant}/live`);
  await expect(page.getByText("Connected", { exact: true })).toBeVisible();
  await expect(page.getByText("Nothing yet")).toBeVisible();
  const rows = page.getByRole("list", { name: "Events, newest first" }).getByRole("listitem");
  await page.mouse.move(0, 0);

  await server.send(door, { n: 1 });
  await expect(rows).toHaveCount(1, { timeout: 2_000 });
  await expect(rows.first()).toContainText("Order placed");
  await expect(rows.first()).toContainText("accepted");
  await expect(rows.first()).toContainText("UTC");
  await expect(page.getByText("Nothing yet")).toBeHidden();
  await server.send(door, {});
  await expect(rows.first()).toContainText("quarantined");

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByText("Paused", { exact: true })).toBeVisible();
  for (const n of [2, 3]) await server.send(door, { n });
  await expect(page.getByRole("button", { name: "Resume · 2 new" })).toBeVisible();
  await expect(rows, "nothing moves").toHaveCount(2);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(rows).toHaveCount(4);
  await expect(rows.first()).toContainText('"n":3');

  await rows.first().hover();
  await server.send(door, { n: 4 });
  await expect(page.getByText("1 new, held while you look")).toBeVisible();
  await expect(rows, "nothing moves under the pointer").toHaveCount(4);
  await page.mouse.move(0, 0);
  await expect(rows).toHaveCount(5);

  await rows.first().getByRole("link").click();
  await expect(inMain(page).getByRole("region", { name: "Payload" })).toContainText("4");
  await page.goBack();
  await expect(page.getByText("Connected", { exact: true })).toBeVisible();
});

test("it does not come back to life for who is signed out", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${door.tenant}/live`);
  await expect(page.getByText("Connected", { exact: true })).toBeVisible();
  await page.context().clearCookies();
  await page.reload();
  await expect(page).toHaveURL(/\/login\?next=/);
  expect((await server.send(door, { n: 5 })).status).toBe(201);
});
