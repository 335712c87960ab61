// A consultant changes a contract: sees what it would change and what it would have made of the newest events,
// activates it, and takes it back. With JavaScript and without.
import { DRAFT } from "./house-versions";
import { expect, inMain, ORDER, order, PASSWORD, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  server.addTenant("Umbrella");
  door = await server.addDoor("Acme Outdoor", "Order placed", ORDER);
  for (let number = 0; number < 5; number += 1) await server.send(door, order(number));
  await server.send(door, { ...order(7), "Order Number": "A-7" });
  await server.send(door, { ...order(8), Currency: "USD" });
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with JavaScript" : "without JavaScript";

  test(`a draft is reviewed, tried, activated and rolled back, ${how}`, async ({ visit, server }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    const type = `/tenants/${door.tenant}/event-types/${door.eventType}`;
    server.saveDraft(door.tenant, door.eventType, DRAFT);
    await page.goto(type);
    await page.getByRole("link", { name: "Review it" }).click();
    const changes = inMain(page).getByRole("listitem");
    await expect(changes.filter({ hasText: "Currency became required" })).toContainText("stricter");
    await expect(changes.filter({ hasText: "Currency no longer allows USD" })).toContainText("stricter");
    await expect(changes.filter({ hasText: "Order Number may now also be a text" })).toContainText("looser");
    const groups = page.getByRole("table", { name: "Events that would be judged differently" });
    await expect(groups.getByRole("row").filter({ hasText: "/Currency" })).toContainText("breaks");
    await expect(groups.getByRole("row").filter({ hasText: "/Order Number" })).toContainText("passes");
    await page.getByRole("link", { name: "Newest 100", exact: true }).click();
    await expect(page).toHaveURL(/trial=100$/);

    await page.getByLabel("Note").fill("As agreed");
    await page.getByRole("button", { name: /^Activate version/ }).click();
    await expect(page.getByText(/Version \d+ is active/).first()).toBeVisible();
    await expect(inMain(page).getByRole("row").nth(1)).toContainText("ada@example.com");
    await expect(async () => {
      expect((await server.send(door, { ...order(9), Currency: "USD" })).status).toBe(422);
    }).toPass();

    await page.getByRole("link", { name: "Version 1", exact: true }).click();
    await page.getByRole("link", { name: /^Roll back to version 1/ }).click();
    await page.getByRole("button", { name: "Roll back to version 1" }).click();
    await expect(page.getByText(/brought back as version/).first()).toBeVisible();
    await expect(async () => {
      expect((await server.send(door, { ...order(10), Currency: "USD" })).status).toBe(201);
    }).toPass();
  });

  test(`a test event is checked and sent, and a type copied, ${how}`, async ({ visit }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    const type = `/tenants/${door.tenant}/event-types/${door.eventType}`;
    await page.goto(type);
    await page.getByRole("link", { name: "Python" }).click();
    await expect(page.getByText("requests.post(")).toBeVisible();
    await page.getByRole("link", { name: "Send a test event" }).click();
    await page.getByRole("button", { name: "Validate only" }).click();
    await expect(page.getByText("It keeps the contract")).toBeVisible();
    await page.getByRole("button", { name: "Send test event" }).click();
    await page.getByRole("link", { name: "Look at the event" }).click();
    await expect(inMain(page)).toContainText("accepted");

    await page.goto(`${type}/copy`);
    await page.getByLabel("To the tenant").selectOption("Umbrella");
    await page.getByLabel("Name of the copy").fill("Order placed too");
    await page.getByRole("button", { name: "Copy event type" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Order placed too" })).toBeVisible();
  });
}
