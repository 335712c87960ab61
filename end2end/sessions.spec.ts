// Somebody is signed in with two browsers.
import { expect, inMain, PASSWORD, signIn, test } from "./journey";

const EMAIL = "ada@example.com";

test.beforeAll(async ({ servers }, info) => {
  (await servers.of(info.file)).addUser(EMAIL, "consultant", PASSWORD);
});

test("one ends the session of the other", async ({ visit }) => {
  const here = await visit({ as: EMAIL });
  const there = await visit({ as: EMAIL, userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" });
  await here.goto("/account");
  const sessions = inMain(here).getByRole("table").getByRole("row");
  await expect(sessions).toHaveCount(3);
  await expect(sessions.filter({ hasText: "this one" })).toContainText("Chrom");
  await sessions.filter({ hasText: "Firefox" }).getByRole("button", { name: /Revoke/ }).click();
  await expect(here.getByText("That session has ended.")).toBeVisible();
  await expect(sessions).toHaveCount(2);

  await there.goto("/account");
  await expect(there).toHaveURL(/\/login\?next=/);
  await here.reload();
  await expect(here).toHaveURL(/\/account/);
});

test("a new password signs out everywhere else", async ({ visit }) => {
  const here = await visit({ as: EMAIL });
  const there = await visit({ as: EMAIL });
  await here.goto("/account");
  await here.getByLabel("Current password").fill(PASSWORD);
  await here.getByLabel("New password", { exact: true }).fill("another horse battery");
  await here.getByLabel("The new password again").fill("another horse battery");
  await here.getByRole("button", { name: "Change password" }).click();
  await expect(here.getByText("Your password is changed.")).toBeVisible();
  await there.goto("/account");
  await expect(there).toHaveURL(/\/login/);
  await signIn(there, EMAIL, "another horse battery");
});
