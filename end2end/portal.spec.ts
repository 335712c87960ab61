// A customer in the portal, and a consultant beside them: what is asked for is answered with a file, an integration is
// connected and fares, and what a colleague sees there is marked. With and without JavaScript.
import fs from "node:fs";
import type { Page } from "@playwright/test";
import { accept, sendQuotation } from "./house-portal";
import { expect, inMain, PASSWORD, statusAfter, test } from "./journey";

test.describe.configure({ mode: "serial" });
test.setTimeout(120_000);
let tenant = "";

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  tenant = server.addTenant("Harbour Museum");
  server.addUser("ada@example.com", "consultant", PASSWORD);
  server.addUser("grace@example.com", "success-manager", PASSWORD);
  server.addUser("customer@example.com", "customer", PASSWORD, tenant);
});

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).first().click();

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : ", without JavaScript";
  test(`a customer answers what they are asked for, and sees how it fares${how}`, async ({ visit, server }) => {
    const name = javaScriptEnabled ? "Members" : "Members too";
    const grace = await visit({ as: "grace@example.com", javaScriptEnabled });
    const offer = await sendQuotation(grace, server, tenant, name);
    const jane = await visit({ as: "customer@example.com", javaScriptEnabled });
    await accept(jane, offer);
    await jane.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Integrations" }).click();
    await expect(jane.getByRole("heading", { level: 1 })).toHaveText("Your integrations");
    await inMain(jane).getByRole("link", { name, exact: true }).click();
    const here = jane.url().split("?")[0];
    await expect(inMain(jane)).toContainText("What we need from you");
    await inMain(jane).getByRole("link", { name: /processing agreement/ }).click();
    expect(await statusAfter(jane, () => press(jane, "Send"))).toBe(422);
    await jane.getByLabel("In words").fill("It does, since May.");
    const file = { name: "agreement.html", mimeType: "text/html", buffer: Buffer.from("<script>document.title = 'run'</script>") };
    await jane.getByLabel("A file").setInputFiles(file);
    await press(jane, "Send");
    await expect(jane.getByText("Thank you: your consultant sees it.")).toBeVisible();
    // whatever it is, it is a download
    const [download] = await Promise.all([
      jane.waitForEvent("download"),
      inMain(jane).getByRole("link", { name: "agreement.html" }).click(),
    ]);
    expect(fs.readFileSync(await download.path(), "utf8")).toContain("<script>");
    await jane.getByLabel("The task is done by that").check();
    await press(jane, "Send");
    await expect(jane.getByText("it is ticked, and your consultant sees it")).toBeVisible();

    // a consultant sees what they see, marked, and answers nothing for them
    const ada = await visit({ as: "ada@example.com", javaScriptEnabled });
    await ada.goto(here.replace("/portal/", "/integrations/"));
    await inMain(ada).getByRole("link", { name: "See it as the customer" }).click();
    await expect(inMain(ada)).toContainText("You see what the customer sees");
    await inMain(ada).getByRole("link", { name: /processing agreement/ }).click();
    await expect(inMain(ada)).toContainText("It does, since May.");
    await expect(inMain(ada).getByRole("button", { name: "Send" })).toHaveCount(0);
    await jane.goto(`/tenants/${tenant}/audit`);
    await expect(inMain(jane)).toContainText("Looked as its customer at");
  });

  test(`somebody without an account follows one integration by a link${how}`, async ({ visit, server }) => {
    const name = javaScriptEnabled ? "Gift shop" : "Gift shop too";
    const grace = await visit({ as: "grace@example.com", javaScriptEnabled });
    const offer = await sendQuotation(grace, server, tenant, name);
    const customer = await visit({ as: "customer@example.com", javaScriptEnabled });
    await accept(customer, offer);

    // made for a named person, shown once
    await grace.goto(`/tenants/${tenant}/integrations`);
    await inMain(grace).getByRole("link", { name, exact: true }).click();
    await inMain(grace).getByRole("link", { name: "Links", exact: true }).click();
    await grace.getByLabel("For whom").fill("Joan");
    await grace.getByLabel("Days").fill("100");
    expect(await statusAfter(grace, () => press(grace, "Make the link"))).toBe(422);
    await grace.getByLabel("Days").fill("14");
    await press(grace, "Make the link");
    const link = (await grace.locator("#link").textContent()) ?? "";
    await inMain(grace).getByRole("link", { name: "I have copied it" }).click();
    await expect(inMain(grace)).toContainText("not opened yet");
    await expect(inMain(grace)).not.toContainText(new URL(link).search);

    // a narrow screen; a scanner was there before
    const scanner = await visit({ javaScriptEnabled });
    await scanner.goto(link);
    const joan = await visit({ javaScriptEnabled, viewport: { width: 320, height: 640 } });
    await joan.goto(link);
    await expect(inMain(joan)).not.toContainText(name);
    await press(joan, "Show it");
    await expect(joan.getByRole("heading", { level: 1 })).toHaveText(name);
    await expect(inMain(joan)).toContainText("What we need from you");
    await expect(inMain(joan)).not.toContainText("EUR");
    expect(await joan.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    await inMain(joan).getByRole("link", { name: /processing agreement/ }).click();
    await joan.getByLabel("In words").fill("It does, says Joan.");
    await joan.getByLabel("The task is done by that").check();
    await press(joan, "Send");
    await expect(joan.getByText("it is ticked, and your consultant sees it")).toBeVisible();
    expect((await scanner.goto(link))?.status()).toBe(410);

    // on the timeline by name; and out at once when the link is taken back
    await grace.reload();
    await expect(inMain(grace)).toContainText("opened");
    await press(grace, /Take back/);
    await expect(grace.getByText("whoever came in by it is out")).toBeVisible();
    expect((await joan.reload())?.status()).toBe(410);
    await grace.goto(`/tenants/${tenant}/integrations`);
    await inMain(grace).getByRole("link", { name, exact: true }).click();
    await expect(inMain(grace)).toContainText("Joan (by link) answered");
  });

  test(`the questions of an intake are answered in the portal${how}`, async ({ visit, server }) => {
    const name = javaScriptEnabled ? "Tickets" : "Tickets too";
    server.command(["integration", "add", "--tenant", tenant, "--system", "Till", "--kind", "ticketing", "--need", "Know who comes", name]);
    const jane = await visit({ as: "customer@example.com", javaScriptEnabled });
    await jane.goto(`/tenants/${tenant}/portal`);
    await inMain(jane).getByRole("link", { name, exact: true }).click();
    await inMain(jane).getByRole("link", { name: "Begin" }).click();
    await inMain(jane).getByRole("link", { name: "Need and value" }).click();
    await jane.getByLabel("What do you want to be able to do?").fill("Greet guests");
    await press(jane, "Save and go on later");
    await expect(jane.getByText("1 of 23 questions answered")).toBeVisible();
    await jane.getByRole("link", { name, exact: true }).first().click();
    await expect(inMain(jane).getByRole("link", { name: "Go on" })).toBeVisible();
  });
}
