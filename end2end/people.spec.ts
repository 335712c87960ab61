// People: somebody is invited, comes in, gets a second factor, and is shut out again.
import { expect, expectMistakes, inMain, PASSWORD, secondFactorOf, signIn, test } from "./journey";

const ADA = "ada@example.com";

test.describe.configure({ mode: "serial" });

test.beforeAll(async ({ servers }, info) => {
  (await servers.of(info.file)).addUser(ADA, "administrator", PASSWORD);
});

for (const javaScriptEnabled of [true, false]) {
  const way = javaScriptEnabled ? "with scripts" : "without scripts";
  const email = javaScriptEnabled ? "grace@example.com" : "hedy@example.com";

  test(`somebody is invited and comes in, ${way}`, async ({ visit }) => {
    const ada = await visit({ as: ADA, javaScriptEnabled });
    await ada.goto("/people");
    await inMain(ada).getByRole("link", { name: "Invite somebody" }).click();
    await ada.getByLabel("E-mail").fill(ADA);
    await inMain(ada).getByRole("button", { name: "Invite" }).click();
    if (javaScriptEnabled) await expectMistakes(ada, ["E-mail"]);
    await ada.getByLabel("E-mail").fill(email);
    await inMain(ada).getByRole("button", { name: "Invite" }).click();
    const link = await ada.locator("#link").innerText();
    if (javaScriptEnabled) {
      await ada.getByRole("button", { name: /^Copy/ }).click();
      await expect.poll(() => ada.evaluate(() => navigator.clipboard.readText())).toBe(link);
    }
    await ada.getByRole("link", { name: "I have copied it" }).click();
    await expect(ada.getByText("invited", { exact: true }).first()).toBeVisible();

    const newcomer = await visit({ javaScriptEnabled });
    await newcomer.goto(link);
    await newcomer.getByLabel("Your name").fill("Grace Hopper");
    await newcomer.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await newcomer.getByLabel("The same password again").fill("something else");
    await newcomer.getByRole("button", { name: "Make the account" }).click();
    await expect(newcomer.getByText("Type the same password twice").first()).toBeVisible();
    await newcomer.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await newcomer.getByLabel("The same password again").fill(PASSWORD);
    await newcomer.getByRole("button", { name: "Make the account" }).click();
    await expect(newcomer).toHaveURL("/");
    await newcomer.goto(link);
    await expect(newcomer.getByRole("heading", { level: 1 })).toHaveText("This link does not work");
  });

  test(`a second factor is set up, asked for and reset, ${way}`, async ({ visit }) => {
    const page = await visit({ as: email, javaScriptEnabled });
    await page.goto("/account");
    await inMain(page).getByRole("link", { name: "Set it up" }).click();
    await inMain(page).getByRole("button", { name: "Set it up" }).click();
    await expect(page.getByRole("img", { name: /QR code/ })).toBeVisible();
    const secret = await page.locator("#secret").innerText();
    await page.getByLabel("Code", { exact: true }).fill(secondFactorOf(secret));
    await page.getByRole("button", { name: "Turn it on" }).click();
    const codes = (await page.locator("#codes").innerText()).split("\n");
    expect(codes).toHaveLength(10);

    const again = await visit({ javaScriptEnabled });
    await again.goto("/login");
    await again.getByLabel("E-mail").fill(email);
    await again.getByLabel("Password").fill(PASSWORD);
    await again.getByRole("button", { name: "Sign in" }).click();
    await expect(again).toHaveURL("/login/code");
    await again.getByLabel("Code", { exact: true }).fill("000000");
    await again.getByRole("button", { name: "Sign in" }).click();
    await expect(again.getByText("This code is not good").first()).toBeVisible();
    await again.getByLabel("Code", { exact: true }).fill(codes[3]);
    await again.getByRole("button", { name: "Sign in" }).click();
    await expect(again).toHaveURL("/");

    const ada = await visit({ as: ADA, javaScriptEnabled });
    await ada.goto("/people?role=consultant");
    await inMain(ada).getByRole("row").filter({ hasText: email }).getByRole("link").click();
    await inMain(ada).getByRole("link", { name: "Reset second factor…" }).click();
    await inMain(ada).getByRole("button", { name: "Reset second factor" }).click();
    await expect(ada.getByText("Their second factor is gone")).toBeVisible();
    await again.goto("/account");
    await expect(again).toHaveURL(/\/login/);
    await signIn(again, email);
  });

  test(`an account is deactivated and comes back, ${way}`, async ({ visit }) => {
    const ada = await visit({ as: ADA, javaScriptEnabled });
    const other = await visit({ as: email, javaScriptEnabled });
    await ada.goto("/people");
    await inMain(ada).getByRole("row").filter({ hasText: email }).getByRole("link").click();
    await inMain(ada).getByRole("link", { name: "Deactivate…" }).click();
    await inMain(ada).getByRole("button", { name: "Deactivate account" }).click();
    await expect(ada.getByText("deactivated and signed out everywhere")).toBeVisible();
    await other.goto("/account");
    await expect(other).toHaveURL(/\/login/);
    await inMain(ada).getByRole("button", { name: "Reactivate" }).click();
    await signIn(other, email);
  });
}

test("the last administrator cannot shut themself out", async ({ visit }) => {
  const ada = await visit({ as: ADA });
  await ada.goto("/people?role=administrator");
  await inMain(ada).getByRole("row").filter({ hasText: ADA }).getByRole("link").click();
  await inMain(ada).getByRole("link", { name: "Deactivate…" }).click();
  await inMain(ada).getByRole("button", { name: "Deactivate account" }).click();
  await expect(ada.getByRole("alert")).toContainText("last active administrator");
});
