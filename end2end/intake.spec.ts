// From the first call to the end of an intake, twice: one that is not possible, and one that is investigated and goes on
// to a quotation; with the customer, who has no account, in a browser of their own. With and without JavaScript, and a
// part of it by keyboard alone.
import type { Page } from "@playwright/test";
import { expect, expectMistakes, inMain, PASSWORD, statusAfter, test } from "./journey";

test.describe.configure({ mode: "serial" });
test.setTimeout(90_000);
let tenant = "";

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  tenant = server.addTenant("Harbour Museum");
  server.addUser("grace@example.com", "success-manager", PASSWORD);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  server.addUser("customer@example.com", "customer", PASSWORD, tenant);
});

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).click();
const follow = (page: Page, name: string) => inMain(page).getByRole("link", { name, exact: true }).first().click();

/** Begins an intake by the forms. */
async function begin(page: Page, system: string, name: string): Promise<void> {
  await page.goto(`/tenants/${tenant}/integrations`);
  await follow(page, "New integration");
  await page.getByLabel("External system").fill(system);
  await page.getByLabel("Kind of system").selectOption({ label: "CRM" });
  await press(page, "Continue");
  await page.getByLabel("Name of the integration").fill(name);
  expect(await statusAfter(page, () => press(page, "Begin the intake"))).toBe(422);
  await expectMistakes(page, ["What the customer needs"]);
  await expect(page.getByLabel("Name of the integration")).toHaveValue(name);
  await page.getByLabel("What the customer needs").fill("Greet members by name at the door");
  await press(page, "Begin the intake");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  await expect(page.getByText("The intake has begun")).toBeVisible();
}

/** Gives a verdict on the page of both. */
async function judge(page: Page, question: "technical" | "need", answer: string, open = ""): Promise<void> {
  const of = (field: string) => page.locator(`[name="${question}_${field}"]`);
  await page.locator(`[name="${question}_answer"][value="${answer}"]`).check();
  await page.locator(`[name="${question}_confidence"][value="high"]`).check();
  await of("open").fill(open);
  await press(page, question === "technical" ? /Give this verdict.*Tech/ : /Give this verdict.*Need/);
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : ", without JavaScript";
  test(`an intake ends as not possible, with the reason, and is told to the next one${how}`, async ({ visit }) => {
    const page = await visit({ as: "grace@example.com", javaScriptEnabled });
    const system = javaScriptEnabled ? "Ledger 3000" : "Ledger 4000";
    await begin(page, system, "Unpaid invoices");
    await follow(page, "Check list");
    await page.locator('[name="push-post"][value="no"]').check();
    await page.locator('[name="pull-get"][value="no"]').check();
    await page.locator('[name="identifier"][value="yes"]').check();
    await press(page, "Save");
    await expect(inMain(page)).toContainText("Their system cannot send to us: it lacks");
    await follow(page, "Give the verdict");
    await expect(page.locator('[name="technical_answer"][value="no"]')).toBeChecked();
    await judge(page, "technical", "no");
    await judge(page, "need", "yes");
    await follow(page, "To the scenario");
    await expect(page.getByLabel("Not possible — what the verdicts say")).toBeChecked();
    expect(await statusAfter(page, () => press(page, "Choose the scenario"))).toBe(422);
    await expect(page.getByRole("alert")).toContainText("Write down why");
    await page.getByLabel("Reason").fill("It has no interface at all");
    await press(page, "Choose the scenario");
    await expect(inMain(page)).toContainText("It has no interface at all");
    await expect(page.getByRole("list", { name: "Stages" })).toContainText("Not possible");
    // whoever begins the next one is told
    await page.goto(`/tenants/${tenant}/integrations/new?system=${system.toLowerCase().replace(" ", "-")}&kind=erp`);
    await expect(inMain(page)).toContainText("Unpaid invoices");
    await expect(inMain(page)).toContainText("Technical check list");
  });

  test(`the customer answers by a link, an investigation follows, and then a quotation${how}`, async ({ visit, server }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    const name = javaScriptEnabled ? "Members" : "Members too";
    await begin(page, "Salesforce", name);
    const here = page.url().split("?")[0];
    await follow(page, "Go on with the intake");
    await follow(page, "Make a link");
    await page.getByLabel("For whom").fill("Jane");
    await press(page, "Make the link");
    const link = (await page.locator("#link").textContent()) ?? "";

    const jane = await visit({ javaScriptEnabled });
    await jane.goto(link);
    await expect(inMain(jane)).not.toContainText(name);
    await press(jane, "Begin");
    await expect(jane.getByRole("heading", { level: 1 })).toHaveText(name);
    await follow(jane, "Need and value");
    await jane.getByLabel("What do you want to be able to do?").fill("Greet members");
    await press(jane, "Save and go on later");
    await expect(jane.getByText("1 of 23 questions answered")).toBeVisible();
    await follow(jane, "Identifiers");
    await expect(inMain(jane)).toContainText("This is only what is usual");
    await jane.getByLabel("What in each record says whom it is about?").selectOption({ label: "An e-mail address" });
    await press(jane, "Save and go on");
    await expect(jane.getByRole("heading", { level: 1 })).toHaveText("Timing");
    // once used, it is of no use to anybody else
    const stranger = await visit({ javaScriptEnabled });
    expect((await stranger.goto(link))?.status()).toBe(410);

    await page.goto(`${here}/evidence`);
    const samples = Array.from({ length: 20 }, (_, n) => JSON.stringify({ "Email Address": `jane${n}@example.com` }));
    await page.getByLabel("Samples").fill(samples.join("\n"));
    await press(page, "See what they show");
    await expect(inMain(page)).toContainText("20 sample payloads");
    await expect(inMain(page)).not.toContainText("jane3@example.com");

    const vendor = await server.vendor(["--records", "200", "--hours", "30"]);
    await follow(page, "Probe it");
    await page.getByLabel("Address", { exact: true }).fill(vendor.url);
    await page.getByLabel("How it knows us").selectOption("none");
    await page.getByLabel("Parameters for the span").fill("from={from}\nuntil={until}");
    await press(page, "Probe it");
    await expect(inMain(page)).toContainText("looked at: windows long before and long after the record do not hold it");
    await inMain(page).getByText("The source that it proposes").first().click();
    await press(page, "Begin a source with it");
    await expect(page.getByLabel("Address", { exact: true })).toHaveValue(vendor.url);
    await page.goto(`${here}/evidence`);
    await follow(page, "Verdicts");
    await judge(page, "technical", "unsure", "Is there a static token?");
    await judge(page, "need", "yes");
    await follow(page, "To the scenario");
    await press(page, "Choose the scenario");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Investigation");
    await page.getByLabel("Time box, in hours").fill("8");
    await press(page, "Save the plan");
    await expect(inMain(page)).toContainText("0 h spent of 8 h");
    await follow(page, "Is there a static token?");
    await page.locator("#answer").fill("Yes, for private applications");
    await press(page, "Save");
    await page.getByLabel("Possible", { exact: true }).check();
    await press(page, "Conclude the investigation");
    await expect(inMain(page)).toContainText("Draft the quotation");
    await expect(page.getByRole("list", { name: "Stages" }).locator("[aria-current]")).toContainText("Quotation");
    await page.goto(`${here}/investigation/report`);
    await expect(inMain(page)).toContainText("Yes, for private applications");
  });
}

test("an intake is begun by keyboard alone", async ({ visit }) => {
  const page = await visit({ as: "grace@example.com" });
  await page.goto(`/tenants/${tenant}/integrations/new`);
  await expect(page.getByLabel("External system")).toBeFocused();
  await page.keyboard.type("Mailer");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Name of the integration")).toBeVisible();
  const tabTo = async (label: string) => {
    for (let stops = 0; stops < 60; stops += 1) {
      if (await page.getByLabel(label).evaluate((element) => element === document.activeElement)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`no way by Tab to ${label}`);
  };
  await tabTo("Name of the integration");
  await page.keyboard.type("Clicks");
  await page.keyboard.press("Enter");
  await expectMistakes(page, ["What the customer needs"]);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("What the customer needs")).toBeFocused();
  await page.keyboard.type("Know who reads what");
  await page.keyboard.press("Tab");
  await tabTo("People of the vendor");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Clicks");
});

test("the list is sorted and filtered by its address; board and funnel show the same", async ({ visit }) => {
  const page = await visit({ as: "grace@example.com" });
  await page.goto("/integrations");
  await page.getByLabel("Stage").selectOption({ label: "Quotation" });
  await press(page, "Filter");
  await expect(page).toHaveURL(/\?stage=quotation$/);
  await expect(inMain(page).getByRole("row")).toHaveCount(3);
  await inMain(page).getByRole("link", { name: "Integration", exact: true }).click();
  await expect(page).toHaveURL(/stage=quotation&sort=name$/);
  await expect(page.getByRole("columnheader", { name: "Integration" })).toHaveAttribute("aria-sort", "ascending");
  await follow(page, "Board");
  await expect(page.getByRole("region", { name: "Integrations by stage" })).toContainText("Members");
  await follow(page, "Funnel");
  await expect(inMain(page).getByRole("row").filter({ hasText: "Intake begun" })).toContainText("100 %");
});

test("a customer sees the guide, and no integration", async ({ visit }) => {
  const page = await visit({ as: "customer@example.com" });
  await page.goto("/guide");
  await expect(inMain(page)).toContainText("Not possible.");
  expect((await page.goto("/integrations"))?.status()).toBe(403);
  expect((await page.goto(`/tenants/${tenant}/integrations`))?.status()).toBe(403);
});
