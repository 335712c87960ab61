// The demo: filled from the command line, looked at, and removed in one act.
import { expect, inMain, PASSWORD, signIn, test } from "./journey";

const NAME = "Harbour Theatre (demo)";

test("a demo is looked around in and removed", async ({ page, server }) => {
  test.setTimeout(120_000);
  const filled = JSON.parse(server.command(["--json", "demo"]));
  expect(filled.filled.accepted).toBeGreaterThan(10_000);
  server.addUser("ada@example.com", "administrator", PASSWORD);
  await signIn(page, "ada@example.com");

  await page.goto(`/tenants/${filled.id}`);
  await expect(page.getByRole("navigation").getByText("invented").first()).toBeVisible();
  await page.goto(`/tenants/${filled.id}/quarantine`);
  await expect(inMain(page).getByText("/Amount").first()).toBeVisible();

  await page.goto(`/tenants/${filled.id}/settings`);
  await page.getByRole("link", { name: "Remove…" }).click();
  await page.getByRole("button", { name: "Remove the demo" }).click();
  await expect(inMain(page).getByText(`type ${NAME} to confirm`).first()).toBeVisible();
  await page.getByLabel(`Type ${NAME} to confirm`).fill(NAME);
  await page.getByRole("button", { name: "Remove the demo" }).click();
  await expect(page).toHaveURL(/\/tenants\?done=demo-removed$/);
  await expect(page.getByText("The demo is removed")).toBeVisible();
  await expect(page.getByText(NAME)).toHaveCount(0);
});
