// From the first call to the end, once for each scenario, with customer and consultant in browsers of their own: not
// possible, with the reason; an investigation first, without JavaScript; and possible, through quotation, acceptance by
// keyboard on a narrow screen, and implementation, to live by what real events show.
import type { Locator, Page } from "@playwright/test";
import { fillLine } from "./house-quotations";
import { expect, expectMistakes, inMain, PASSWORD, statusAfter, test, type Visit } from "./journey";

test.setTimeout(90_000);
let tenant = "";

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  tenant = server.addTenant("Harbour Museum");
  server.addUser("grace@example.com", "success-manager", PASSWORD);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  server.addUser("mara@example.com", "account-manager", PASSWORD);
  server.addUser("customer@example.com", "customer", PASSWORD, tenant);
});

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).first().click();
const follow = (page: Page, name: string | RegExp) => inMain(page).getByRole("link", { name, exact: typeof name === "string" }).first().click();
const region = (page: Page, name: string) => inMain(page).getByRole("region", { name, exact: true });
const stage = (page: Page) => page.getByRole("list", { name: "Stages" }).locator("[aria-current]");

/** Begins an intake by the forms; the address of the integration. */
async function begin(page: Page, system: string, name: string): Promise<string> {
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
  return page.url().split("?")[0];
}

/** Makes a link on the page of links that one is on, and opens it in a browser of its own. */
async function byLink(page: Page, whom: string, visit: Visit, javaScriptEnabled = true): Promise<{ guest: Page; link: string }> {
  await page.getByLabel("For whom").fill(whom);
  await press(page, "Make the link");
  const link = (await page.locator("#link").textContent()) ?? "";
  const guest = await visit({ javaScriptEnabled });
  await guest.goto(link);
  return { guest, link };
}

/** Gives a verdict on the page of both. */
async function judge(page: Page, question: "technical" | "need", answer: string, open = ""): Promise<void> {
  await page.locator(`[name="${question}_answer"][value="${answer}"]`).check();
  await page.locator(`[name="${question}_confidence"][value="high"]`).check();
  await page.locator(`[name="${question}_open"]`).fill(open);
  await press(page, question === "technical" ? /Give this verdict.*Tech/ : /Give this verdict.*Need/);
}

/** Goes on by Tab until something has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let stops = 0; stops < 80; stops += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way by Tab to ${target}`);
}

/** Nothing of the page lies beside a narrow screen. */
async function expectNarrow(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth), page.url()).toBeLessThanOrEqual(320);
}

test("not possible: the customer says what the system lacks, and reads where it ended", async ({ visit }) => {
  const grace = await visit({ as: "grace@example.com" });
  const here = await begin(grace, "Ledger 3000", "Unpaid invoices");
  await follow(grace, "Go on with the intake");
  await follow(grace, "Make a link");
  const { guest: per } = await byLink(grace, "Per", visit);
  await press(per, "Begin");
  await follow(per, "External system and contact");
  await per.getByLabel("Which product, edition and version is it?").fill("Ledger 3000, the one with the green screen");
  await press(per, "Save and go on later");
  await expect(per.getByText("1 of 23 questions answered")).toBeVisible();

  const ada = await visit({ as: "ada@example.com" });
  await ada.goto(`${here}/intake/system`);
  await expect(ada.getByLabel("Which product, edition and version is it?")).toHaveValue(/green screen/);
  await ada.goto(`${here}/checks`);
  await ada.locator('[name="push-post"][value="no"]').check();
  await ada.locator('[name="pull-get"][value="no"]').check();
  await ada.locator('[name="identifier"][value="yes"]').check();
  await press(ada, "Save");
  await expect(inMain(ada)).toContainText("Their system cannot send to us: it lacks");
  await follow(ada, "Give the verdict");
  await expect(ada.locator('[name="technical_answer"][value="no"]')).toBeChecked();
  await judge(ada, "technical", "no");

  // the need is the success manager's to judge; the scenario follows, and takes its reason
  await grace.goto(`${here}/verdicts`);
  await judge(grace, "need", "yes");
  await follow(grace, "To the scenario");
  await expect(grace.getByLabel("Not possible — what the verdicts say")).toBeChecked();
  expect(await statusAfter(grace, () => press(grace, "Choose the scenario"))).toBe(422);
  await expect(grace.getByRole("alert")).toContainText("Write down why");
  await grace.getByLabel("Reason").fill("It has no interface at all");
  await press(grace, "Choose the scenario");
  await expect(inMain(grace)).toContainText("It has no interface at all");
  await expect(stage(grace)).toContainText("Not possible");

  const jane = await visit({ as: "customer@example.com" });
  await jane.goto(`/tenants/${tenant}/portal`);
  const row = inMain(jane).getByRole("row").filter({ hasText: "Unpaid invoices" });
  await expect(row).toContainText("Not possible");
  await row.getByRole("link", { name: "Unpaid invoices" }).click();
  await expect(inMain(jane).getByRole("definition").filter({ hasText: "It has no interface at all" })).toBeVisible();
  // and whoever begins the next one is told
  await ada.goto(`/tenants/${tenant}/integrations/new?system=ledger-3000&kind=erp`);
  await expect(inMain(ada).getByRole("heading", { name: "Earlier with ledger-3000" })).toBeVisible();
  await expect(inMain(ada).getByRole("link", { name: "Unpaid invoices", exact: true })).toBeVisible();
  await expect(inMain(ada).getByText("Not possible", { exact: true })).toBeVisible();
  await expect(ada.getByLabel("Technical check list")).toContainText("from Unpaid invoices");
});

test("an investigation first: questions, a quotation, and a customer who declines; without JavaScript", async ({ visit, server }) => {
  const javaScriptEnabled = false;
  const ada = await visit({ as: "ada@example.com", javaScriptEnabled });
  const here = await begin(ada, "Salesforce", "Members");
  await follow(ada, "Go on with the intake");
  await follow(ada, "Make a link");
  const { guest: jane, link } = await byLink(ada, "Jane", visit, javaScriptEnabled);
  await expect(inMain(jane), "a scanner that follows it learns nothing").not.toContainText("Members");
  await press(jane, "Begin");
  await expect(jane.getByRole("heading", { level: 1 })).toHaveText("Members");
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

  const vendor = await server.vendor(["--records", "200", "--hours", "30"]);
  await ada.goto(`${here}/evidence`);
  await follow(ada, "Probe it");
  await ada.getByLabel("Address", { exact: true }).fill(vendor.url);
  await ada.getByLabel("How it knows us").selectOption("none");
  await ada.getByLabel("Parameters for the span").fill("from={from}\nuntil={until}");
  await press(ada, "Probe it");
  await expect(inMain(ada)).toContainText("looked at: windows long before and long after the record do not hold it");
  await inMain(ada).getByText("The source that it proposes").first().click();
  await press(ada, "Begin a source with it");
  await expect(ada.getByLabel("Address", { exact: true })).toHaveValue(vendor.url);
  await ada.goto(`${here}/evidence`);
  await follow(ada, "Verdicts");
  await judge(ada, "technical", "unsure", "Is there a static token?");
  await judge(ada, "need", "yes");
  await follow(ada, "To the scenario");
  await press(ada, "Choose the scenario");
  await expect(ada.getByRole("heading", { level: 1 })).toHaveText("Investigation");
  await ada.getByLabel("Time box, in hours").fill("8");
  await press(ada, "Save the plan");
  await expect(inMain(ada)).toContainText("0 h spent of 8 h");
  await follow(ada, "Is there a static token?");
  await ada.locator("#answer").fill("Yes, for private applications");
  await press(ada, "Save");
  await ada.getByLabel("Possible", { exact: true }).check();
  await press(ada, "Conclude the investigation");
  await expect(inMain(ada)).toContainText("Draft the quotation");
  await expect(stage(ada)).toContainText("Quotation");
  await ada.goto(`${here}/investigation/report`);
  await expect(inMain(ada)).toContainText("Yes, for private applications");

  // quoted, declined with a reason, and closed
  await ada.goto(`${here}/quotations`);
  await press(ada, "Draft the quotation");
  const one = ada.url().split("?")[0];
  await follow(ada, "Add a line");
  await fillLine(ada, "Connect members", "20");
  await press(ada, "Save the line");
  await expect(inMain(ada).getByRole("button", { name: "Send it" }), "a consultant does not send").toHaveCount(0);
  const mara = await visit({ as: "mara@example.com", javaScriptEnabled });
  await mara.goto(one);
  await press(mara, "Send it");
  await follow(mara, "Make a link");
  const { guest: tom } = await byLink(mara, "Tom", visit, javaScriptEnabled);
  await expect(inMain(tom)).not.toContainText("Members");
  await press(tom, "Show the quotation");
  await expect(inMain(tom)).toContainText("EUR 3,750.00");
  await inMain(tom).getByText("Decline…").click();
  await tom.locator("#decline_name").fill("Tom");
  await press(tom, "Decline the quotation");
  await expect(tom.getByRole("alert")).toContainText("Write down why");
  await tom.getByLabel("Reason").fill("Not before next year");
  await press(tom, "Decline the quotation");
  await expect(tom.getByText("Thank you for telling us why")).toBeVisible();
  await ada.goto(here);
  await expect(inMain(ada)).toContainText("Not before next year");
  await follow(ada, "Close as lost…");
  await ada.getByLabel("Reason").fill("Perhaps next year");
  await press(ada, "Close it as lost");
  await expect(stage(ada)).toContainText("Lost");
});

test("possible: quoted, accepted by keyboard on a narrow screen, built, seen and live", async ({ visit, server }) => {
  const ada = await visit({ as: "ada@example.com" });
  const jane = await visit({ as: "customer@example.com", viewport: { width: 320, height: 640 } });
  const mine = async () => {
    await jane.goto(`/tenants/${tenant}/portal`);
    await follow(jane, "Purchases");
    await expectNarrow(jane);
  };
  const here = await begin(ada, "Lightspeed", "Purchases");
  await ada.goto(`${here}/evidence`);
  const samples = Array.from({ length: 20 }, (_, n) => JSON.stringify({ "E-mail": `member${n}@example.com`, Bought: "Poster" }));
  await ada.getByLabel("Samples").fill(samples.join("\n"));
  await press(ada, "See what they show");
  await expect(inMain(ada)).toContainText("20 sample payloads");
  await expect(inMain(ada), "samples are not kept").not.toContainText("member3@example.com");
  await mine();
  await expect(inMain(jane)).toContainText("We find out whether it is possible");
  await ada.goto(`${here}/verdicts`);
  await judge(ada, "technical", "yes");
  await judge(ada, "need", "yes");
  await follow(ada, "To the scenario");
  await press(ada, "Choose the scenario");

  // dear enough for somebody else to approve it
  await ada.goto(`${here}/quotations`);
  await press(ada, "Draft the quotation");
  const quotation = ada.url().split("?")[0];
  await follow(ada, "Add a line");
  await fillLine(ada, "Connect the web shop", "100");
  await press(ada, "Save the line");
  await press(ada, "Ask for approval");
  await expect(inMain(ada)).toContainText("Somebody else approves it");
  const mara = await visit({ as: "mara@example.com" });
  await mara.goto(quotation);
  await press(mara, "Approve it");
  await press(mara, "Send it");
  await expect(inMain(mara)).toContainText("SHA-256 of its content");

  await jane.goto(`/tenants/${tenant}/quotations`);
  await follow(jane, "Purchases");
  await expect(inMain(jane)).toContainText("EUR 18,750.00");
  await expectNarrow(jane);
  await tabTo(jane, jane.getByLabel("Your name").first());
  await jane.keyboard.type("Jane Doe");
  await tabTo(jane, jane.getByLabel("Your role"));
  await jane.keyboard.type("Head of membership");
  await jane.keyboard.press("Enter");
  await expectMistakes(jane, ["I accept this quotation for my company: EUR 18,750.00 with VAT."]);
  await expect(jane.getByLabel("Your role")).toHaveValue("Head of membership");
  await tabTo(jane, jane.getByLabel(/I accept this quotation/));
  await jane.keyboard.press("Space");
  await tabTo(jane, inMain(jane).getByRole("button", { name: "Accept the quotation" }));
  await jane.keyboard.press("Enter");
  await expect(jane.getByText("Accepted. Thank you")).toBeVisible();

  // it is the customer's turn; they answer, and it is ours
  await mine();
  await expect(inMain(jane)).toContainText("Being set up");
  await follow(jane, /processing agreement/);
  await jane.getByLabel("In words").fill("It covers it since May.");
  await jane.getByLabel("The task is done by that").check();
  await press(jane, "Send");
  await expect(jane.getByText("it is ticked, and your consultant sees it")).toBeVisible();
  await ada.goto(here);
  await expect(inMain(ada)).toContainText("Waits for us");
  await follow(ada, "Open the implementation");

  // the drafts become what they draft
  await region(ada, "Drafts").getByRole("link", { name: "Purchases", exact: true }).click();
  const eventType = ada.url().split("/").pop() ?? "";
  await press(ada, "Make the event type");
  await region(ada, "Drafts").getByRole("link", { name: /for Purchases$/ }).click();
  await press(ada, "Make the token");
  const token = (await ada.locator("#token").textContent()) ?? "";
  await follow(ada, "I have copied it");
  await expect(region(ada, "Drafts").getByText("made")).toHaveCount(2);
  await mine();
  await expect(inMain(jane)).toContainText("Waiting for first data");

  // two events are enough here
  const evidence = region(ada, "Acceptance evidence");
  await evidence.getByRole("link", { name: /^First 100 events/ }).click();
  await ada.getByLabel("How many events").fill("lots");
  expect(await statusAfter(ada, () => press(ada, "Save the evidence"))).toBe(422);
  await ada.getByLabel("How many events").fill("2");
  await press(ada, "Save the evidence");
  await expect(evidence).toContainText("0 of 2");
  await expect(inMain(ada)).toContainText("Not ready to go live");
  await expect(inMain(ada).getByRole("button", { name: "Go live" })).toHaveCount(0);
  await expect(evidence.getByRole("link", { name: /^Waive/ })).toHaveCount(0);
  const door = { tenant, eventType, token };
  await server.untilOpen(door);
  const bought = (n: number) => ({ "E-mail": `member${n}@example.com`, Bought: "Poster" });
  expect((await server.send(door, [bought(1), bought(2)])).status).toBe(201);
  await expect(async () => {
    await ada.goto(`${here}/implementation`);
    await expect(evidence).toContainText("2 of 2", { timeout: 500 });
  }).toPass({ timeout: 15_000 });
  await expect(evidence).toContainText("in 2 of the newest 2 events");

  // what takes days is waived by who has the right, and says why
  await mara.goto(`${here}/implementation`);
  await region(mara, "Acceptance evidence").getByRole("link", { name: /^Waive….*Rejection/ }).click();
  expect(await statusAfter(mara, () => press(mara, "Waive it"))).toBe(422);
  await expectMistakes(mara, ["Reason"]);
  await mara.getByLabel("Reason").fill("The season opens tomorrow");
  await press(mara, "Waive it");
  await ada.goto(`${here}/implementation`);
  await expect(inMain(ada)).toContainText("Ready to go live");
  await press(ada, "Go live");
  await expect(stage(ada)).toContainText("Live");
  await expect(inMain(ada)).toContainText("The season opens tomorrow");
  await ada.goto(`${here}/implementation`);
  await expect(evidence, "what was seen is kept").toContainText("2 of 2");

  // and the customer sees that it works
  await mine();
  await expect(inMain(jane)).toContainText("Working");
  await expect(inMain(jane)).toContainText("2 events in 90 days");
  await jane.goto(`/tenants/${tenant}/portal`);
  await expect(inMain(jane).getByRole("row").filter({ hasText: "Purchases" })).toContainText("Working");
  await expectNarrow(jane);
});
