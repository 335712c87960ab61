// A consultant looks for what went wrong: at most two clicks from home.
import { expect, inMain, ORDER, order, PASSWORD, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  await server.addDoor("Quiet Customer", "Order placed");
  door = await server.addDoor("Acme Outdoor", "Order placed", ORDER);
  for (let number = 0; number < 3; number += 1) await server.send(door, order(number));
});

const PAYLOAD = '{ "Email Address": "jane@example.com", "Order Number": "A-1002", "Amount": -5, "Extra": [1, {"a/b": 2}] }';

test("cause, fix and payload of a broken event stand two clicks from home", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  const answer = await server.send(door, PAYLOAD);
  expect(answer.status).toBe(422);
  expect(answer.body.rejected[0].errors.map((error: any) => error.path).sort()).toEqual(["/Amount", "/Order Number"]);

  // the first click: the group tells all of it
  await expect(async () => {
    await page.goto("/");
    const mend = /^Mend ?: Acme Outdoor · Order placed: \/Amount must be at least 0/;
    await inMain(page).getByRole("link", { name: mend }).click({ timeout: 500 });
  }).toPass();
  await expect(inMain(page)).toContainText("Mend the sender");
  await expect(inMain(page).locator("mark")).toHaveText(["-5"]);
  await expect(inMain(page)).toContainText('"a/b": 2');
  await inMain(page).getByRole("link", { name: /UTC$/ }).first().click();

  await expect(page.getByRole("heading", { name: "Why it is in quarantine" })).toBeVisible();
  const reasons = page.getByRole("table", { name: "Why it is in quarantine" });
  await expect(reasons.getByRole("row")).toHaveCount(3);
  for (const [place, cause] of [["/Order Number", /expected a whole number, got a string/], ["/Amount", /at least 0/]] as const) {
    const reason = reasons.getByRole("row").filter({ hasText: place });
    await expect(reason).toContainText(cause);
    await expect(reason, "what mends it").toContainText(/Let the sender/);
  }
  const payload = inMain(page).getByRole("region", { name: "Payload" });
  await expect(payload.locator("mark")).toHaveText(['"A-1002"', "-5"]);
  await expect(payload).toContainText('"a/b": 2');
  await page.getByRole("link", { name: "As sent" }).click();
  await expect(page.locator("#payload")).toHaveText(PAYLOAD);
});

test("the quarantine can be asked for one type, and says so when there is nothing", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  const other = { ...door, eventType: server.addEventType(door.tenant, "Order cancelled", ORDER) };
  await server.untilOpen(other);
  const base = `/tenants/${door.tenant}/quarantine/events`;
  await page.goto(base);
  await page.getByLabel("Type").selectOption("Order cancelled");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.getByRole("heading", { name: "Nothing here" })).toBeVisible();
  await page.getByRole("link", { name: "Show the whole quarantine" }).click();
  await expect(page).toHaveURL(base);

  await server.send(other, "{}");
  await page.goto(`${base}?type=${other.eventType}`);
  await expect(inMain(page).getByRole("row")).toHaveCount(2);
  await expect(inMain(page).getByRole("row").last()).toContainText("required");
});
