// An intake begun by keyboard alone, the list, board and funnel of integrations, and what a customer may see of them. The
// way from the first call to each end is told in first-call-to-live.spec.ts.
import type { Page } from "@playwright/test";
import { toQuotation } from "./house-quotations";
import { expect, expectMistakes, inMain, PASSWORD, test } from "./journey";

let tenant = "";

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  tenant = server.addTenant("Harbour Museum");
  server.addUser("grace@example.com", "success-manager", PASSWORD);
  server.addUser("customer@example.com", "customer", PASSWORD, tenant);
});

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).click();
const follow = (page: Page, name: string) => inMain(page).getByRole("link", { name, exact: true }).first().click();

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

test("the list is sorted and filtered by its address; board and funnel show the same", async ({ visit, server }) => {
  const page = await visit({ as: "grace@example.com" });
  await toQuotation(page, server, tenant, "Members");
  await toQuotation(page, server, tenant, "Season tickets");
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
