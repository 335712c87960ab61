// From an accepted quotation to live without JavaScript: tasks and drafts that nobody had to type, an event type and a
// token by one act each, real events, the evidence that they leave, a waiver by who may, and the day it goes live. With
// JavaScript, and from the first call, it is told in first-call-to-live.spec.ts.
import { expect, expectMistakes, inMain, PASSWORD, statusAfter, test } from "./journey";
import type { Page } from "@playwright/test";
import { toImplementation } from "./house-implementation";

test.describe.configure({ mode: "serial" });
test.setTimeout(180_000);
let tenant = "";

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  tenant = server.addTenant("Harbour Museum");
  server.addUser("admin@example.com", "administrator", PASSWORD);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  server.addUser("mara@example.com", "account-manager", PASSWORD);
});

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).first().click();
const region = (page: Page, name: string) => inMain(page).getByRole("region", { name, exact: true });

test("what was accepted is built, seen and live without JavaScript", async ({ visit, server }) => {
  const javaScriptEnabled = false;
  const name = "Purchases";
  const admin = await visit({ as: "admin@example.com", javaScriptEnabled });
  const base = await toImplementation(admin, server, tenant, name);
  const here = `${base}/implementation`;

  const page = await visit({ as: "ada@example.com", javaScriptEnabled });
  await page.goto(base);
  await expect(inMain(page)).toContainText("Waits for the customer");
  await inMain(page).getByRole("link", { name: "Open the implementation" }).click();
  await expect(region(page, "Whose turn it is")).toContainText("processing agreement");
  await region(page, "Whose turn it is").getByRole("button", { name: /^Done.*agreement/ }).click();
  await expect(page.getByText("Done: whose turn it is follows")).toBeVisible();

  // the drafts become what they draft
  const drafts = region(page, "Drafts");
  await drafts.getByRole("link", { name, exact: true }).click();
  const type = page.url().split("/").pop() ?? "";
  await press(page, "Make the event type");
  await region(page, "Drafts").getByRole("link", { name: new RegExp(`for ${name}$`) }).click();
  await press(page, "Make the token");
  const token = (await page.locator("#token").textContent()) ?? "";
  await inMain(page).getByRole("link", { name: "I have copied it" }).click();
  await expect(region(page, "Drafts").getByText("made")).toHaveCount(2);

  // two events are enough here; of the rate somebody else decides
  const evidence = region(page, "Acceptance evidence");
  await evidence.getByRole("link", { name: /^First 100 events/ }).click();
  await page.getByLabel("How many events").fill("lots");
  expect(await statusAfter(page, () => press(page, "Save the evidence"))).toBe(422);
  await page.getByLabel("How many events").fill("2");
  await press(page, "Save the evidence");
  await expect(evidence).toContainText("First 2 events accepted");
  await expect(evidence).toContainText("0 of 2");
  await expect(inMain(page)).toContainText("Not ready to go live");
  await expect(inMain(page).getByRole("button", { name: "Go live" })).toHaveCount(0);
  await expect(evidence.getByRole("link", { name: /^Waive/ })).toHaveCount(0);

  const door = { tenant, eventType: type, token };
  await server.untilOpen(door);
  const bought = (n: number) => ({ "E-mail": `member${n}@example.com`, Bought: "Poster" });
  expect((await server.send(door, [bought(1), bought(2)])).status).toBeLessThan(300);
  await expect(async () => {
    await page.goto(here);
    await expect(region(page, "Acceptance evidence")).toContainText("2 of 2", { timeout: 500 });
  }).toPass({ timeout: 15_000 });

  // who has the right waives the rest, and says why
  const mara = await visit({ as: "mara@example.com", javaScriptEnabled });
  for (const what of [/^Waive….*Rejection/, /^Waive….*Train/]) {
    await mara.goto(here);
    await region(mara, "Acceptance evidence").getByRole("link", { name: what }).click();
    expect(await statusAfter(mara, () => press(mara, "Waive it"))).toBe(422);
    await expectMistakes(mara, ["Reason"]);
    await mara.getByLabel("Reason").fill("The season opens tomorrow");
    await press(mara, "Waive it");
  }
  await page.goto(here);
  await expect(inMain(page)).toContainText("Ready to go live");
  await press(page, "Go live");
  await expect(page.getByRole("list", { name: "Stages" }).locator("[aria-current]")).toContainText("Live");
  await expect(inMain(page)).toContainText("The season opens tomorrow");
  await page.goto(here);
  await expect(region(page, "Acceptance evidence")).toContainText("2 of 2");
});

test("time is written down against what was quoted, and a change order adds to it", async ({ visit, server }) => {
  const page = await visit({ as: "admin@example.com" });
  const base = await toImplementation(page, server, tenant, "Season tickets");
  await page.goto(`${base}/implementation`);
  await expect(inMain(page)).toContainText("0 h spent of 19 h quoted");
  await inMain(page).getByText("Write down time").click();
  await page.getByLabel("On which phase").selectOption({ label: "Connect the web shop" });
  await page.getByLabel("Hours", { exact: true }).fill("2:30");
  await page.getByLabel("On what").fill("First call");
  await press(page, "Write it down");
  await expect(inMain(page)).toContainText("2.5 h spent of 19 h quoted");
  await page.goto(`${base}/quotations`);
  await press(page, "Draft a change order");
  await expect(inMain(page)).toContainText("It adds to version 1 of the quotation");
  await expect(inMain(page)).toContainText("Change order 2 for Season tickets");
});
