// A consultant takes events away: exports by the filter of the explorer, follows the task, downloads the file, and
// says how long events are kept. With a script and without.
import fs from "node:fs";
import { exportOf } from "./house-jobs";
import { expect, expectMistakes, inMain, ORDER, order, PASSWORD, statusAfter, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed", ORDER);
  for (let number = 0; number < 12; number += 1) await server.send(door, order(number));
  await server.send(door, { "Email Address": "=cmd()", "Order Number": 1, Amount: 1 });
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with a script" : "without a script";

  test(`what the explorer shows is exported and downloaded, ${how}`, async ({ visit }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    await page.goto(`/tenants/${door.tenant}/events?verdict=accepted`);
    await page.getByRole("link", { name: "Export…" }).click();
    await expect(inMain(page)).toContainText("12 events");
    await page.getByRole("radio", { name: "CSV" }).check();
    await page.getByRole("button", { name: "Start export" }).click();
    await expect(page).toHaveURL(/\/tasks\/[0-9a-f-]{36}$/);
    // with a script the page goes on by itself; without, one reloads it
    await expect(async () => {
      if (!javaScriptEnabled) await page.reload();
      await expect(inMain(page)).toContainText("All done: 12 events", { timeout: 3_000 });
    }).toPass();
    await expect(page.getByRole("button", { name: "Cancel" })).toHaveCount(0);
    const arrived = page.waitForEvent("download");
    await page.getByRole("link", { name: /^Download \.csv \(/ }).click();
    const file = await arrived;
    expect(file.suggestedFilename()).toMatch(/^events-\d{4}-\d\d-\d\d-\d{4}\.csv$/);
    const lines = fs.readFileSync(await file.path(), "utf8").split("\r\n");
    expect(lines).toHaveLength(14);
    expect(lines[0]).toBe("id,receivedAt,eventTypeId,verdict,sourceId,errors,Email Address,Order Number,Amount,Currency,otherFields");
    expect(lines[1]).toContain("customer11@example.com,11,59.9,EUR,");

    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Tasks" }).click();
    await expect(inMain(page).getByRole("row", { name: /Export of events/ }).first()).toContainText("done");
  });

  test(`times are kept to their bounds, and shortening asks first, ${how}`, async ({ visit }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    const settings = `/tenants/${door.tenant}/settings`;
    await page.goto(settings);
    await page.getByLabel("Events in quarantine").fill("4000");
    const save = () => page.getByRole("button", { name: "Save times" }).click();
    expect(await statusAfter(page, save)).toBe(422);
    if (javaScriptEnabled) await expectMistakes(page, ["Events in quarantine"]);
    await expect(page.getByLabel("Events in quarantine")).toHaveValue("4000");

    await page.getByLabel("Events in quarantine").fill("60");
    await page.getByLabel("Unique values").fill(javaScriptEnabled ? "200" : "150");
    await save();
    await expect(page.getByRole("heading", { name: "Keep less of Acme Outdoor" })).toBeVisible();
    await page.getByRole("button", { name: "Shorten times" }).click();
    await expect(page.getByText("The times are saved.")).toBeVisible();
    await expect(page.getByLabel("Events in quarantine")).toHaveValue("60");
  });
}

test("a formula in the quarantine is a formula no more", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`/tenants/${door.tenant}/exports/new?verdict=quarantined`);
  await exportOf(page, page.url(), "CSV");
  const arrived = page.waitForEvent("download");
  await page.getByRole("link", { name: /^Download \.csv \(/ }).click();
  const file = await arrived;
  expect(file.suggestedFilename()).toMatch(/^quarantine-/);
  expect(fs.readFileSync(await file.path(), "utf8")).toContain(",'=cmd(),1,1,,");
});
