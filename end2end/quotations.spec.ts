// From two verdicts that are yes to a quotation that the customer accepts: written, approved by somebody else, sent, and
// answered by the customer in a browser of their own, with and without JavaScript; declined and revised; printed.
import { expect, expectMistakes, inMain, PASSWORD, statusAfter, test } from "./journey";
import type { Page } from "@playwright/test";
import { fillLine, toQuotation } from "./house-quotations";

test.describe.configure({ mode: "serial" });
test.setTimeout(120_000);
let tenant = "";

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  tenant = server.addTenant("Harbour Museum");
  server.addUser("grace@example.com", "success-manager", PASSWORD);
  server.addUser("mara@example.com", "account-manager", PASSWORD);
  server.addUser("customer@example.com", "customer", PASSWORD, tenant);
});

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).click();
const follow = (page: Page, name: string) => inMain(page).getByRole("link", { name, exact: true }).first().click();

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : ", without JavaScript";
  test(`a quotation is approved by somebody else and accepted by a link${how}`, async ({ visit, server }) => {
    const page = await visit({ as: "grace@example.com", javaScriptEnabled });
    const list = await toQuotation(page, server, tenant, javaScriptEnabled ? "Members" : "Members too");
    await page.goto(list);
    await press(page, "Draft the quotation");
    const one = page.url().split("?")[0];
    await expect(inMain(page)).toContainText("Not settled by the intake: Who looks after it in summer?");
    await follow(page, "Add a line");
    await fillLine(page, "Connect", "");
    expect(await statusAfter(page, () => press(page, "Save the line"))).toBe(422);
    await expectMistakes(page, ["Hours"]);
    await page.getByLabel("Hours", { exact: true }).fill("100");
    await press(page, "Save the line");
    await expect(inMain(page)).toContainText("18,750.00");
    await press(page, "Ask for approval");
    await expect(inMain(page)).toContainText("Somebody else approves it");

    const boss = await visit({ as: "mara@example.com", javaScriptEnabled });
    await boss.goto(one);
    await press(boss, "Approve it");
    await expect(boss.getByText("Approved: it can be sent.")).toBeVisible();
    await page.goto(one);
    await press(page, "Send it");
    await expect(inMain(page)).toContainText("SHA-256 of its content");
    await expect(inMain(page).getByRole("link", { name: "Add a line" })).toHaveCount(0);
    await follow(page, "Make a link");
    await page.getByLabel("For whom").fill("Jane");
    await press(page, "Make the link");
    const link = (await page.locator("#link").textContent()) ?? "";

    const jane = await visit({ javaScriptEnabled });
    await jane.goto(link);
    await expect(inMain(jane)).not.toContainText("Members");
    await press(jane, "Show the quotation");
    await expect(inMain(jane)).toContainText("EUR 18,750.00");
    const stranger = await visit({ javaScriptEnabled });
    expect((await stranger.goto(link))?.status()).toBe(410);
    await jane.getByLabel("Your name").first().fill("Jane Doe");
    expect(await statusAfter(jane, () => press(jane, "Accept the quotation"))).toBe(422);
    await expect(jane.getByLabel("Your name").first()).toHaveValue("Jane Doe");
    await jane.getByLabel("Your role").fill("Head of membership");
    await jane.getByLabel(/I accept this quotation/).check();
    await press(jane, "Accept the quotation");
    await expect(jane.getByText("Accepted. Thank you")).toBeVisible();
    await expect(inMain(jane).getByRole("button", { name: "Accept the quotation" })).toHaveCount(0);

    await page.goto(one);
    await expect(inMain(page)).toContainText("Jane Doe, Head of membership");
    await page.goto(list.replace("/quotations", ""));
    await expect(page.getByRole("list", { name: "Stages" }).locator("[aria-current]")).toContainText("Implementation");
  });
}

test("a customer declines in the portal, and gets a better version", async ({ visit, server }) => {
  const page = await visit({ as: "grace@example.com" });
  const list = await toQuotation(page, server, tenant, "Season tickets");
  await page.goto(list);
  await press(page, "Draft the quotation");
  await follow(page, "Add a line");
  await fillLine(page, "Connect", "20");
  await press(page, "Save the line");
  await press(page, "Send it");
  const customer = await visit({ as: "customer@example.com" });
  await customer.goto(`/tenants/${tenant}/quotations`);
  await follow(customer, "Season tickets");
  await inMain(customer).getByText("Decline…").click();
  await customer.locator("#decline_name").fill("Tom");
  await customer.getByLabel("Reason").fill("Too dear");
  await press(customer, "Decline the quotation");
  await expect(customer.getByText("Thank you for telling us why")).toBeVisible();

  await page.goto(list);
  await press(page, "Draft a new version");
  await follow(page, "Terms");
  await page.getByLabel("Discount", { exact: true }).selectOption({ label: "Percent of the sum" });
  await page.getByLabel("How much").fill("10");
  await press(page, "Save the terms");
  await expect(inMain(page)).toContainText("Different from version 1");
  await expect(inMain(page)).toContainText("2,700.00");
  await press(page, "Send it");
  await customer.goto(`/tenants/${tenant}/quotations`);
  await follow(customer, "Season tickets");
  await expect(inMain(customer)).toContainText("EUR 3,375.00");
  await customer.getByLabel("Your name").first().fill("Tom");
  await customer.getByLabel("Your role").fill("Treasurer");
  await customer.getByLabel(/I accept this quotation/).check();
  await press(customer, "Accept the quotation");
  await expect(customer.getByText("Accepted. Thank you")).toBeVisible();
});
