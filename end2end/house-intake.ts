// The pages of integrations, empty, full and in error.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { inMain } from "./journey";
import type { Server, Vendor } from "./server";

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name }).click();

/** A tenant with nothing but itself. */
export function bareIntake(tenant: () => string): Room[] {
  const at = (path: string) => (page: Page) => page.goto(path.replace("TENANT", tenant()));
  return [
    { name: "integrations-empty", as: "ada", open: at("/integrations") },
    { name: "integrations-board-empty", as: "ada", open: at("/integrations/board") },
    { name: "integrations-funnel-empty", as: "ada", open: at("/integrations/funnel") },
    { name: "tenant-integrations-empty", as: "ada", open: at("/tenants/TENANT/integrations") },
  ];
}

/** Integrations at several stages, with all that belongs to them. */
export function fullIntake(server: Server, tenant: string): Room[] {
  const add = (system: string, kind: string, name: string, need: string): string =>
    JSON.parse(
      server.command(["--json", "integration", "add", "--tenant", tenant, "--system", system, "--kind", kind, "--need", need, name]),
    ).id;
  const members = add("Salesforce", "crm", "Members", "Greet members by name at the door, and know who has lapsed.");
  const investigated = add("Harbour ERP", "erp", "Unpaid invoices", "See who has not paid before the season begins.");
  const impossible = add("Fax gateway", "custom", "Orders by fax", "Orders that come by fax.");
  const retired = add("Salesforce", "crm", "Contacts of the old house", "Was replaced by Members.");
  server.command(["integration", "advance", "--tenant", tenant, retired, "retire", "--reason", "replaced by Members"]);
  let vendor: Vendor | undefined;
  const base = `/tenants/${tenant}/integrations`;
  const at = (rest: string) => (page: Page) => page.goto(`${base}${rest}`);
  const judge = async (page: Page, id: string, technical: string, need: string, open: string) => {
    for (const [question, answer] of [["technical", technical], ["need", need]]) {
      await page.goto(`${base}/${id}/verdicts`);
      if (!(await page.locator(`[name="${question}_answer"]`).count())) return;
      await page.locator(`[name="${question}_answer"][value="${answer}"]`).check();
      await page.locator(`[name="${question}_confidence"][value="medium"]`).check();
      await page.locator(`[name="${question}_evidence"]`).fill("The vendor says so, in writing.");
      await page.locator(`[name="${question}_open"]`).fill(answer === "unsure" ? open : "");
      await press(page, question === "technical" ? /Give this verdict.*Tech/ : /Give this verdict.*Need/);
    }
  };
  const rooms: Omit<Room, "as">[] = [
    { name: "integration-new-system", open: at("/new") },
    { name: "integration-new", open: at("/new?system=salesforce&kind=crm") },
    {
      name: "integration-new-amiss",
      open: async (page) => {
        await at("/new?system=salesforce&kind=crm")(page);
        await press(page, "Begin the intake");
      },
    },
    { name: "integration", open: at(`/${members}`) },
    {
      name: "integration-turn-amiss",
      open: async (page) => {
        await at(`/${members}`)(page);
        await inMain(page).getByText("Change", { exact: true }).click();
        await page.getByLabel("Next step").fill("");
        await press(page, "Save");
      },
    },
    { name: "integration-edit", open: at(`/${members}/edit`) },
    { name: "intake", open: at(`/${members}/intake`) },
    { name: "intake-section", open: at(`/${members}/intake/data`) },
    {
      name: "intake-section-amiss",
      open: async (page) => {
        await at(`/${members}/intake/data`)(page);
        await page.getByLabel("How many on a usual day?").fill("many");
        await press(page, "Save and go on later");
      },
    },
    { name: "intake-checks", open: at(`/${members}/checks`) },
    { name: "intake-evidence-empty", open: at(`/${members}/evidence`) },
    {
      name: "intake-evidence-amiss",
      open: async (page) => {
        await at(`/${members}/evidence`)(page);
        await page.getByLabel("Samples").fill('{ "a": ');
        await press(page, "See what they show");
      },
    },
    {
      name: "intake-evidence",
      open: async (page) => {
        await at(`/${members}/evidence`)(page);
        const sample = (n: number) => JSON.stringify({ Id: n, Email: n % 9 ? `jane${n}@example.com` : null, Name: "Jane" });
        await page.getByLabel("Samples").fill(Array.from({ length: 30 }, (_, n) => sample(n)).join("\n"));
        await press(page, "See what they show");
      },
    },
    { name: "intake-probe", open: at(`/${investigated}/evidence/probe`) },
    {
      name: "intake-probe-amiss",
      open: async (page) => {
        await at(`/${investigated}/evidence/probe`)(page);
        await press(page, "Probe it");
      },
    },
    {
      name: "intake-probed",
      open: async (page) => {
        vendor ??= await server.vendor(["--records", "200", "--hours", "30"]);
        await at(`/${investigated}/evidence/probe`)(page);
        await page.getByLabel("Address", { exact: true }).fill(vendor.url);
        await page.getByLabel("How it knows us").selectOption("none");
        await page.getByLabel("Parameters for the span").fill("from={from}\nuntil={until}");
        await press(page, "Probe it");
        await inMain(page).getByText("The source that it proposes").first().waitFor();
      },
    },
    {
      name: "intake-endpoint",
      open: async (page) => {
        await at(`/${members}/evidence`)(page);
        // the second time it is open already
        if (await inMain(page).getByRole("button", { name: "Close it" }).count()) await press(page, "Close it");
        await press(page, "Open it");
      },
    },
    { name: "intake-verdicts", open: at(`/${members}/verdicts`) },
    {
      name: "intake-verdicts-amiss",
      open: async (page) => {
        await at(`/${members}/verdicts`)(page);
        await page.locator('[name="need_answer"][value="unsure"]').check();
        await press(page, /Give this verdict.*Need/);
      },
    },
    { name: "intake-scenario-waits", open: at(`/${members}/scenario`) },
    { name: "intake-link", open: at(`/${members}/links`) },
    {
      name: "intake-link-made",
      open: async (page) => {
        await at(`/${members}/links`)(page);
        await page.getByLabel("For whom").fill("Jane");
        await press(page, "Make the link");
      },
    },
    { name: "intake-with-link", open: at(`/${members}/intake`) },
    {
      name: "intake-scenario",
      open: async (page) => {
        await judge(page, investigated, "unsure", "yes", "Is the window of time honoured?\nWho opens the firewall?");
        await at(`/${investigated}/scenario`)(page);
      },
    },
    {
      name: "investigation",
      open: async (page) => {
        await at(`/${investigated}/scenario`)(page);
        const choose = inMain(page).getByRole("button", { name: "Choose the scenario" });
        if (await choose.count()) await choose.click();
        await at(`/${investigated}/investigation`)(page);
        // once planned, the form is folded away
        await page.locator("details:has(#goal)").evaluate((fold) => fold.setAttribute("open", ""));
        await page.getByLabel("Goal").fill("To know whether we can fetch invoices by the day.");
        await page.getByLabel("Time box, in hours").fill("12");
        await press(page, "Save the plan");
        await inMain(page).getByText("Write down time", { exact: true }).click();
        await page.getByLabel("Hours", { exact: true }).fill("1.5");
        await page.getByLabel("On what").fill("Read the documentation");
        await press(page, "Write it down");
      },
    },
    {
      name: "investigation-amiss",
      open: async (page) => {
        await at(`/${investigated}/investigation`)(page);
        await inMain(page).getByText("Add a question", { exact: true }).click();
        await press(page, "Add the question");
      },
    },
    {
      name: "investigation-question",
      open: async (page) => {
        await at(`/${investigated}/investigation`)(page);
        await inMain(page).getByRole("link", { name: "Who opens the firewall?" }).click();
      },
    },
    { name: "investigation-report", open: at(`/${investigated}/investigation/report`) },
    {
      name: "integration-not-possible",
      open: async (page) => {
        await judge(page, impossible, "no", "yes", "");
        await at(`/${impossible}/scenario`)(page);
        const reason = page.getByLabel("Reason");
        if (await reason.count()) {
          await reason.fill("A fax has neither JSON nor a token.");
          await press(page, "Choose the scenario");
        }
        await at(`/${impossible}`)(page);
      },
    },
    { name: "integration-reopen", open: at(`/${impossible}/acts/reopen`) },
    { name: "integration-retire", open: at(`/${members}/acts/retire`) },
    { name: "integrations", open: (page) => page.goto("/integrations") },
    { name: "integrations-no-match", open: (page) => page.goto("/integrations?stage=live&turn=vendor") },
    { name: "integrations-board", open: (page) => page.goto("/integrations/board") },
    { name: "integrations-funnel", open: (page) => page.goto("/integrations/funnel") },
    { name: "tenant-integrations", open: at("") },
    { name: "guide", open: (page) => page.goto("/guide") },
  ];
  return [
    ...rooms.map((room): Room => ({ ...room, as: "ada" })),
    { name: "integration-manager", as: "grace", open: at(`/${members}/evidence`) },
    { name: "guide-customer", as: "customer", open: (page) => page.goto("/guide") },
    { name: "answer-useless", open: (page) => page.goto("/answer?token=none") },
    { name: "guide-nobody", open: (page) => page.goto("/guide/customers") },
  ];
}
