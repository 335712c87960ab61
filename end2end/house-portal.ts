// The portal: what a customer sees of their integrations, empty, being set up, live, and in error.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { fillLine, toQuotation } from "./house-quotations";
import { inMain } from "./journey";
import type { Server } from "./server";

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).first().click();

/** Writes and sends a quotation of one line; where the customer finds it. */
export async function sendQuotation(page: Page, server: Server, tenant: string, name: string): Promise<string> {
  const list = await toQuotation(page, server, tenant, name);
  await page.goto(list);
  await press(page, "Draft the quotation");
  const one = page.url().split("?")[0];
  await page.goto(`${one}/lines/new`);
  await fillLine(page, "Connect it", "8");
  await press(page, "Save the line");
  await press(page, "Send it");
  return `/tenants/${tenant}/quotations/${one.split("/").pop()}`;
}

/** Accepts it, as a customer who is signed in. */
export async function accept(page: Page, offer: string): Promise<void> {
  await page.goto(offer);
  await page.getByLabel("Your name").first().fill("Jane Doe");
  await page.getByLabel("Your role").fill("Head of membership");
  await page.getByLabel(/I accept this quotation/).check();
  await press(page, "Accept the quotation");
  await page.getByText("Accepted. Thank you").waitFor();
}

/** Of a tenant with many integrations, one of them accepted. */
export function fullPortal(server: Server, tenant: string): Room[] {
  const base = `/tenants/${tenant}/portal`;
  let offer = "";
  let here = "";
  let link = "";
  let questions = "";
  const of = async (page: Page) => {
    if (!here) {
      await accept(page, offer);
      await page.goto(base);
      here = (await inMain(page).getByRole("link", { name: "Season passes" }).getAttribute("href")) ?? "";
    }
    await page.goto(here);
  };
  const task = async (page: Page) => {
    await page.goto(here);
    await inMain(page).getByRole("link", { name: /processing agreement/ }).click();
  };
  const send = (page: Page) => press(page, "Send");
  return [
    {
      name: "portal-offer-sent",
      as: "ada",
      open: async (page) => {
        offer ||= await sendQuotation(page, server, tenant, "Season passes");
        await page.goto(offer);
      },
    },
    { name: "portal", as: "customer", open: (page) => page.goto(base) },
    { name: "portal-integration", as: "customer", open: of },
    { name: "portal-task", as: "customer", open: task },
    {
      name: "portal-task-amiss",
      as: "customer",
      open: async (page) => {
        await task(page);
        await send(page);
      },
    },
    {
      name: "portal-task-answered",
      as: "customer",
      open: async (page) => {
        await task(page);
        await page.getByLabel("In words").fill("It covers it since May; the signed page is attached.");
        await page.getByLabel("A file").setInputFiles({ name: "agreement.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7") });
        await send(page);
      },
    },
    { name: "portal-as-colleague", as: "ada", open: (page) => page.goto(here) },
    { name: "portal-links-none", as: "ada", open: (page) => page.goto(`${here}/links`) },
    {
      name: "portal-links-amiss",
      as: "ada",
      open: async (page) => {
        await page.goto(`${here}/links`);
        await page.getByLabel("Days").fill("100");
        await press(page, "Make the link");
      },
    },
    {
      name: "portal-link-made",
      as: "ada",
      open: async (page) => {
        await page.goto(`${here}/links`);
        await page.getByLabel("For whom").fill("Joan of the membership office");
        await press(page, "Make the link");
        link = (await page.locator("#link").textContent()) ?? "";
      },
    },
    { name: "portal-door", open: (page) => page.goto(link) },
    {
      name: "portal-guest",
      open: async (page) => {
        await page.goto(link);
        await press(page, "Show it");
      },
    },
    {
      name: "portal-guest-task",
      open: async (page) => {
        await page.goto("/portal/integration");
        await inMain(page).getByRole("link", { name: /processing agreement/ }).click();
      },
    },
    { name: "portal-link-useless", open: (page) => page.goto("/portal?token=none") },
    { name: "portal-links", as: "ada", open: (page) => page.goto(`${here}/links`) },
    {
      name: "portal-questions",
      as: "customer",
      open: async (page) => {
        await page.goto(base);
        await inMain(page).getByRole("link", { name: "Unpaid invoices", exact: true }).first().click();
        questions = page.url().split("?")[0];
        await page.goto(`${questions}/intake`);
      },
    },
    {
      name: "portal-questions-amiss",
      as: "customer",
      open: async (page) => {
        await page.goto(`${questions}/intake/data`);
        await page.getByLabel(/How many on a usual day/).fill("lots");
        await press(page, "Save and go on");
      },
    },
    { name: "portal-questions-as-colleague", as: "ada", open: (page) => page.goto(`${questions}/intake/data`) },
  ];
}
