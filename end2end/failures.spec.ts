// A consultant mends what broke: from the cause, by the fix, to the evidence; one event by hand, and all of a group.
import { type Page } from "@playwright/test";
import { eventOf } from "./house";
import { expect, expectMistakes, inMain, ORDER, order, PASSWORD, statusAfter, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed", ORDER);
  await server.send(door, order(1));
});

const quarantine = () => `/tenants/${door.tenant}/quarantine`;

/** The group of a place, once the server has sorted its events into it. */
async function openGroup(page: Page, name: RegExp): Promise<void> {
  const link = inMain(page).getByRole("link", { name });
  await expect(async () => {
    await page.goto(quarantine());
    await link.click({ timeout: 500 });
  }).toPass();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
}

test("a group tells cause, fix and evidence, and every act can be undone", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com" });
  for (const amount of ["12,50", "3,00"]) {
    const answer = await server.send(door, { ...order(2), Amount: amount });
    expect(answer.status).toBe(422);
  }
  await openGroup(page, /^\/Amount: expected a number, got a string$/);
  for (const name of ["What is wrong", "What mends it", "Evidence", "Relax the contract", "Mend the sender"]) {
    await expect(page.getByRole("heading", { name, exact: true })).toBeVisible();
  }
  await expect(page.locator("#to-the-sender")).toContainText('Example:       "3,00"');
  await expect(inMain(page).locator("mark").first()).toHaveText('"3,00"');
  await expect(page.getByRole("img", { name: /2 events in 14 days/ })).toBeVisible();
  await page.getByText("View as table").click();
  await expect(page.getByRole("table", { name: "Events by day" }).getByRole("row")).toHaveCount(15);

  await page.getByRole("button", { name: "Resolve" }).click();
  await expect(inMain(page).getByRole("status")).toContainText("Resolved.");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: "Acknowledge" })).toBeVisible();
  await page.getByRole("button", { name: "Resolve" }).click();
  await page.goto(quarantine());
  await expect(page.getByRole("heading", { name: "Nothing to do" })).toBeVisible();

  await server.send(door, { ...order(3), Amount: "1,00" });
  await openGroup(page, /^\/Amount/);
  await expect(inMain(page)).toContainText("It came back after it was resolved on");
});

for (const javaScriptEnabled of [true, false]) {
  test(`one event is mended and replayed, scripts ${javaScriptEnabled ? "on" : "off"}`, async ({ visit, server }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    const answer = await server.send(door, { ...order(4), Amount: "7,00", "Order Number": `B-${javaScriptEnabled}` });
    const event = eventOf(answer.body.receiptId, 1);
    await page.goto(`/tenants/${door.tenant}/events/${event}`);
    await page.getByRole("link", { name: "Mend and replay…" }).click();
    const payload = page.getByLabel("Event", { exact: true });
    const wrong = (await payload.inputValue()).replace('"7,00"', "7.00");
    await payload.fill(wrong);
    expect(await statusAfter(page, () => page.getByRole("button", { name: "Check" }).click())).toBe(422);
    if (javaScriptEnabled) await expectMistakes(page, ["Event"]);
    await expect(payload).toHaveValue(wrong);
    await payload.fill(wrong.replace(/"B-\w+"/, "4"));
    await page.getByRole("button", { name: "Check" }).click();
    await expect(inMain(page)).toContainText("It keeps the contract");
    await page.getByRole("button", { name: "Replay" }).click();
    await expect(inMain(page)).toContainText("Replayed: this is the new event");
    await expect(inMain(page).getByRole("region", { name: "Payload" })).toContainText("7.00");
    await inMain(page).getByRole("link", { name: /^received/ }).click();
    await expect(page).toHaveURL(new RegExp(event));
    await expect(inMain(page)).toContainText("Mended by ada@example.com");
    await page.goto(`${quarantine()}/events?verdict=mended`);
    await expect(inMain(page).getByRole("link", { name: /UTC/ }).first()).toBeVisible();
  });
}

test("all of a group are replayed in the background, scripts off", async ({ visit, server }) => {
  const page = await visit({ as: "ada@example.com", javaScriptEnabled: false });
  const tickets = { ...door, eventType: server.addEventType(door.tenant, "Ticket scanned", { required: ["Gate"] }) };
  await server.untilOpen(tickets);
  await server.send(tickets, Array.from({ length: 60 }, (_, n) => ({ n })));
  await openGroup(page, /^\/Gate is required but missing$/);
  await page.getByRole("link", { name: "Replay 60…" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    "Replay 60 events of Ticket scanned: /Gate is required but missing",
  );
  await page.getByRole("button", { name: "Replay 60 events" }).click();
  await expect(page).toHaveURL(/\/tasks\//);
  await expect(async () => {
    await page.reload();
    await expect(inMain(page)).toContainText("Still failing", { timeout: 500 });
    await expect(inMain(page).getByText("done", { exact: true }).first()).toBeVisible({ timeout: 500 });
  }).toPass();
});
