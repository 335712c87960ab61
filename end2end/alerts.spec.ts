// Something goes wrong, home says so, and whoever should know is told; scripts on and off.
import { createServer, type Server as Http } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, expectMistakes, inMain, ORDER, order, PASSWORD, statusAfter, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;
let receiver: Http;
const received: { type: string; data: { title: string } }[] = [];

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  server.addUser("grace@example.com", "success-manager", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed", ORDER);
  await server.send(door, order(1));
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      received.push(JSON.parse(body));
      response.end("thank you");
    });
  });
  await new Promise<void>((done) => receiver.listen(0, "127.0.0.1", done));
});

test.afterAll(() => receiver.close());

const alerts = () => `/tenants/${door.tenant}/alerts`;
const address = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;

test("nothing needs attention, and home says so", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto("/");
  await expect(inMain(page)).toContainText("Nothing needs attention");
});

for (const javaScriptEnabled of [true, false]) {
  test(`a channel is added and tried, scripts ${javaScriptEnabled ? "on" : "off"}`, async ({ visit }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    await page.goto(alerts());
    await inMain(page).getByRole("link", { name: "Web request", exact: true }).click();
    await page.getByLabel("Address").fill("not an address");
    expect(await statusAfter(page, () => page.getByRole("button", { name: "Add web request" }).click())).toBe(422);
    if (javaScriptEnabled) await expectMistakes(page, ["Name", "Address"]);
    await expect(page.getByLabel("Address")).toHaveValue("not an address");
    const name = `Desk ${javaScriptEnabled}`;
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Address").fill(address());
    await page.getByRole("button", { name: "Add web request" }).click();
    await expect(page.locator("#secret")).toContainText("whsec_");
    const secret = await page.locator("#secret").textContent();
    await page.getByRole("link", { name: "I have copied it" }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    expect(await page.content()).not.toContain(secret);
    await page.getByRole("button", { name: "Send a test" }).click();
    // the server was not started with --allow-outbound for this machine
    await expect(async () => {
      if (!javaScriptEnabled) await page.reload();
      await expect(inMain(page)).toContainText("an address of this network", { timeout: 500 });
    }).toPass();
    expect(received).toEqual([]);
  });
}

test("a broken sender is told of on home, with the way to the fix", async ({ visit, server }) => {
  await server.send(door, { ...order(2), Amount: "12,50" });
  const page = await visit({ as: "ada@example.com" });
  await expect(async () => {
    await page.goto("/");
    await expect(inMain(page)).toContainText("/Amount: expected a number", { timeout: 500 });
  }).toPass();
  await inMain(page).getByRole("link", { name: /^Mend ?: Acme Outdoor · Order placed/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("/Amount");
  const grace = await visit({ as: "grace@example.com" });
  await grace.goto("/");
  await expect(inMain(grace)).toContainText("1 cause of failures");
  await expect(inMain(grace)).not.toContainText("/Amount");
});

test("what a type is watched for is changed, scripts off", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com", javaScriptEnabled: false });
  await page.goto(alerts());
  await inMain(page).getByRole("link", { name: "Order placed", exact: true }).click();
  await page.getByLabel("From this share on, in percent").fill("0");
  expect(await statusAfter(page, () => page.getByRole("button", { name: "Save" }).click())).toBe(422);
  await page.getByLabel("From this share on, in percent").fill("25");
  await page.getByLabel("Within the last").selectOption("6");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(inMain(page)).toContainText("from 25 % in 6 h");
});

test("the chart has its sentence and its table, and its span stays in the address", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await expect(async () => {
    await page.goto(`/tenants/${door.tenant}`);
    await expect(page.getByRole("img", { name: /events? in 24 hours, most at \d\d:00/ })).toBeVisible({ timeout: 500 });
  }).toPass();
  await page.getByText("View as table").click();
  await expect(page.getByRole("table", { name: "Accepted and quarantined by hour" }).getByRole("row")).toHaveCount(25);
  await page.getByRole("link", { name: "28 days" }).click();
  await expect(page).toHaveURL(/range=28d/);
  await page.reload();
  await expect(page.getByRole("link", { name: "28 days" })).toHaveAttribute("aria-current", "page");
});
