// An operator starts the program for the first time.
import { expect, expectMistakes, inMain, PASSWORD, signOut, statusAfter, test } from "./journey";

test.describe.configure({ mode: "serial" });
// pages pass into each other here, as they do for who has not asked for stillness
test.use({ contextOptions: { reducedMotion: "no-preference" } });

test("the link on the console makes the administrator, who signs out and in again", async ({ page, server }) => {
  await page.goto("/");
  await expect(page).toHaveURL(/\/login/);
  await expect(inMain(page)).toContainText("The server printed a set-up link");

  await page.goto(await server.printedUrl(/\/setup\?/));
  await page.getByLabel("Name", { exact: true }).fill("Ada Lovelace");
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByLabel("The same password again").fill("short");
  expect(await statusAfter(page, () => page.getByRole("button", { name: "Make the account" }).click())).toBe(422);
  await expectMistakes(page, ["Password"]);
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Ada Lovelace");
  await expect(page.getByLabel("E-mail")).toHaveValue("ada@example.com");
  await expect(page.getByLabel("Password", { exact: true })).toHaveValue("");

  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();
  await expect(page).toHaveURL("/");
  await expect(page.getByRole("heading", { name: "Begin with a tenant" })).toBeVisible();

  await signOut(page);
  await page.goto("/account");
  await expect(page).toHaveURL(/\/login\?next=/);

  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password").fill("not the password");
  const wrong = () => page.getByRole("button", { name: "Sign in" }).click();
  expect(await statusAfter(page, wrong)).toBe(422);
  await expectMistakes(page, ["E-mail"]);
  await expect(page.getByLabel("E-mail")).toHaveValue("ada@example.com");
  await expect(page.getByLabel("Password")).toHaveValue("");

  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page, "back to where one wanted to go").toHaveURL("/account");
});

test("the link works once", async ({ page, server }) => {
  const link = await server.printedUrl(/\/setup\?/);
  const response = await page.goto(link);
  expect(response?.status()).toBe(410);
  await expect(page.getByRole("heading", { name: "Tributary is set up already" })).toBeVisible();
});

test("empty fields are all named at once", async ({ page }) => {
  await page.goto("/login");
  expect(await statusAfter(page, () => page.getByRole("button", { name: "Sign in" }).click())).toBe(422);
  await expectMistakes(page, ["E-mail", "Password"]);
  await page.getByRole("alert").getByRole("link", { name: /password/ }).click();
  await expect(page.getByLabel("Password")).toBeFocused();
});

test("an account that does not exist is answered as a wrong password is", async ({ page }) => {
  const said = [];
  for (const email of ["ada@example.com", "nobody@example.com"]) {
    await page.goto("/login");
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toBeFocused();
    said.push(await page.getByRole("alert").textContent());
  }
  expect(said[0]).toBe(said[1]);
});

test("the theme is remembered with the account", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com", colorScheme: "light" });
  await page.goto("/account");
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("button", { name: "Dark" }).click();
  await expect(page, "and one stays where one was").toHaveURL("/account");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");

  const elsewhere = await visit({ as: "ada@example.com", colorScheme: "light" });
  await expect(elsewhere.locator("html")).toHaveAttribute("data-theme", "dark");
});
