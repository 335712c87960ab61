// The pages of quotations: a draft, one that waits, one that was sent, and what the customer sees.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { inMain } from "./journey";
import type { Server } from "./server";

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).first().click();

/** Takes a new integration to the stage of quotations, by the forms. */
export async function toQuotation(page: Page, server: Server, tenant: string, name: string): Promise<string> {
  const id = JSON.parse(
    server.command(["--json", "integration", "add", "--tenant", tenant, "--system", "Lightspeed", "--kind", "web-shop", "--need", "Know what members buy.", name]),
  ).id;
  const base = `/tenants/${tenant}/integrations/${id}`;
  for (const question of ["technical", "need"]) {
    await page.goto(`${base}/verdicts`);
    await page.locator(`[name="${question}_answer"][value="yes"]`).check();
    await page.locator(`[name="${question}_confidence"][value="high"]`).check();
    await page.locator(`[name="${question}_open"]`).fill(question === "need" ? "Who looks after it in summer?" : "");
    await press(page, question === "technical" ? /Give this verdict.*Tech/ : /Give this verdict.*Need/);
  }
  await page.goto(`${base}/scenario`);
  await press(page, "Choose the scenario");
  return `${base}/quotations`;
}

/** Fills in the form of a line. */
export async function fillLine(page: Page, name: string, hours: string, rate = "150"): Promise<void> {
  await page.getByLabel("Work package").fill(name);
  await page.getByLabel("Description").fill("As discussed, with everything that belongs to it.");
  await page.getByLabel("Hours", { exact: true }).fill(hours);
  await page.getByLabel(/Rate of an hour/).fill(rate);
  await page.getByLabel("VAT, in percent").fill("25");
}

export function fullQuotations(server: Server, tenant: string): Room[] {
  let list = "";
  let one = "";
  let next = "";
  let link = "";
  const to = (where: () => string) => (page: Page) => page.goto(where());
  const rooms: Omit<Room, "as">[] = [
    {
      name: "quotations-empty",
      open: async (page) => {
        list ||= await toQuotation(page, server, tenant, "Purchases of members");
        await page.goto(list);
      },
    },
    {
      name: "quotation-draft",
      open: async (page) => {
        await press(page, "Draft the quotation");
        one = page.url().split("?")[0];
      },
    },
    { name: "quotation-line", open: to(() => `${one}/lines/new`) },
    {
      name: "quotation-line-amiss",
      open: async (page) => {
        await page.goto(`${one}/lines/new`);
        await page.getByLabel("Hours", { exact: true }).fill("many");
        await press(page, "Save the line");
      },
    },
    { name: "quotation-terms", open: to(() => `${one}/edit`) },
    {
      name: "quotation-terms-amiss",
      open: async (page) => {
        await page.goto(`${one}/edit`);
        await page.getByLabel("Title").fill("");
        await page.getByLabel("Valid until").fill("2020-01-01");
        await press(page, "Save the terms");
      },
    },
    {
      name: "quotation-full",
      open: async (page) => {
        await page.goto(`${one}/lines/new`);
        await fillLine(page, "Connect the web shop", "16");
        await press(page, "Save and add another");
        await fillLine(page, "Map purchases to members", "8.5");
        await press(page, "Save and add another");
        await fillLine(page, "Train the team", "3", "120");
        await press(page, "Save the line");
      },
    },
    { name: "quotation-line-there", open: to(() => `${one}/lines/2`) },
    {
      name: "quotation-sent",
      open: async (page) => {
        await page.goto(one);
        await press(page, "Send it");
      },
    },
    { name: "quotation-link", open: to(() => `${one}/links`) },
    {
      name: "quotation-link-made",
      open: async (page) => {
        await page.goto(`${one}/links`);
        await page.getByLabel("For whom").fill("Jane");
        await press(page, "Make the link");
        link = (await page.locator("#link").textContent()) ?? "";
      },
    },
    { name: "quotation-with-link", open: to(() => one) },
    {
      name: "quotation-next",
      open: async (page) => {
        await page.goto(list);
        await press(page, "Draft a new version");
        next = page.url().split("?")[0];
        await page.goto(`${next}/lines/1`);
        await page.getByLabel("Hours", { exact: true }).fill("120");
        await press(page, "Save the line");
        await page.goto(next);
      },
    },
    {
      name: "quotation-awaiting",
      open: async (page) => {
        await page.goto(next);
        await press(page, "Ask for approval");
      },
    },
    { name: "quotations", open: to(() => list) },
  ];
  return [
    ...rooms.map((room): Room => ({ ...room, as: "ada" })),
    { name: "quotation-door", open: to(() => link) },
    {
      name: "quotation-offer",
      open: async (page) => {
        await page.goto(link);
        await press(page, "Show the quotation");
      },
    },
    {
      name: "quotation-offer-amiss",
      open: async (page) => {
        await page.goto("/quotation/offer");
        await press(page, "Accept the quotation");
      },
    },
    { name: "quotation-useless", open: (page) => page.goto("/quotation?token=none") },
    { name: "portal-quotations", as: "customer", open: (page) => page.goto(`/tenants/${tenant}/quotations`) },
    {
      name: "portal-quotation",
      as: "customer",
      open: async (page) => {
        await page.goto(`/tenants/${tenant}/quotations`);
        await inMain(page).getByRole("link", { name: "Purchases of members" }).first().click();
      },
    },
  ];
}
