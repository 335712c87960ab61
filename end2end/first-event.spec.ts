// A consultant connects a sender: from the console's link to the first event on the screen.
import { execFileSync } from "node:child_process";
import { type Page } from "@playwright/test";
import { expect, expectMistakes, inMain, PASSWORD, statusAfter, test } from "./journey";

test.describe.configure({ mode: "serial" });

/** Runs a command as it was copied from a page. */
function shell(command: string, env: Record<string, string> = {}): string {
  return execFileSync("sh", ["-c", `${command} -s -w '\\n%{http_code}'`], {
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
}

/** What a click on the copy button in `part` puts on the clipboard, once the button says so. */
async function copied(page: Page, name: RegExp): Promise<string> {
  const button = inMain(page).getByRole("button", { name });
  await button.click();
  await expect(inMain(page).getByRole("button", { name: /^Copied/ })).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Copied" }), "a screen reader is told").toHaveCount(1);
  const text = await page.evaluate(() => navigator.clipboard.readText());
  await expect(button, "and the button is itself again").toBeVisible();
  return text;
}

test("from the started program to the first event in at most 12 clicks", async ({ page, server }) => {
  let clicks = 0;
  await page.exposeBinding("oneMoreClick", () => (clicks += 1));
  await page.addInitScript(() =>
    addEventListener("click", (event) => event.detail > 0 && (window as any).oneMoreClick(), true),
  );

  await page.goto(await server.printedUrl(/\/setup\?/));
  await page.getByLabel("Name", { exact: true }).fill("Ada Lovelace");
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("The same password again").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the account" }).click();
  await page.getByRole("link", { name: "Add the first tenant" }).click();
  await page.getByLabel("Name").fill("Acme Outdoor");
  await page.getByRole("button", { name: "Create tenant" }).click();
  await inMain(page).getByRole("link", { name: "New event type" }).first().click();
  await page.getByLabel("Name").fill("Order placed");
  await page.getByRole("button", { name: "Create event type" }).click();
  await expect(page.getByText("Waiting for the first event…")).toBeVisible();
  await inMain(page).getByRole("link", { name: "Create one" }).click();
  await page.getByLabel("Name").fill("Web shop");
  await page.getByRole("button", { name: "Create token" }).click();
  const command = await copied(page, /^Copy curl/);
  await page.getByRole("link", { name: "Watch it arrive" }).click();
  await expect(page.getByText("Waiting for the first event…")).toBeVisible();

  await expect.poll(() => shell(command), "known to the front door within a second").toContain("201");
  await expect(page.getByText("The first event has arrived")).toBeVisible({ timeout: 2_000 });
  await page.getByRole("link", { name: "Look at it" }).click();
  await expect(inMain(page).getByRole("region", { name: "Payload" })).toContainText("ada@example.com");
  console.log(`    clicks: ${clicks}`);
  expect(clicks).toBeLessThanOrEqual(12);
});

test("a contract with a mistake is told, and nothing typed is lost", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto("/");
  await page.getByRole("link", { name: "Acme Outdoor" }).click();
  await inMain(page).getByRole("link", { name: "New event type" }).click();
  await page.getByLabel("Name").fill("Ticket scanned");
  await page.getByLabel("Description").fill("One line for each\nturnstile");
  const contract = inMain(page).getByLabel("Contract", { exact: true });
  const create = () => page.getByRole("button", { name: "Create event type" }).click();

  const mistakes: [string, RegExp][] = [
    ['{ "type": "object", }', /line 1/i],
    ['{ "type": "objekt" }', /objekt|type/],
    ['{ "$ref": "https://example.com/schema.json" }', /documents elsewhere are never fetched/],
  ];
  for (const [text, said] of mistakes) {
    await contract.fill(text);
    expect(await statusAfter(page, create)).toBe(422);
    await expectMistakes(page, ["Contract"]);
    await expect(page.getByRole("alert")).toContainText(said);
    await expect(contract).toHaveValue(text);
    await expect(page.getByLabel("Name")).toHaveValue("Ticket scanned");
    await expect(page.getByLabel("Description")).toHaveValue("One line for each\nturnstile");
  }
  await contract.fill('{ "type": "object", "required": ["Gate"], "properties": { "Gate": { "type": "string" } } }');
  await create();
  await expect(page.getByRole("heading", { level: 1, name: "Ticket scanned" })).toBeVisible();
  await expect(inMain(page).getByRole("status").first()).toContainText("created");
});
