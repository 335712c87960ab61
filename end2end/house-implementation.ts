// The pages of implementations: planned, a task, drafts, evidence, a waiver, time, and what is live.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { fillLine, toQuotation } from "./house-quotations";
import { inMain } from "./journey";
import type { Server } from "./server";

const press = (page: Page, name: string | RegExp) => inMain(page).getByRole("button", { name, exact: typeof name === "string" }).first().click();
const follow = (page: Page, name: string | RegExp) => inMain(page).getByRole("link", { name }).first().click();

/** Takes a new integration to where it is built: samples, verdicts, a quotation that is accepted by a link. */
export async function toImplementation(page: Page, server: Server, tenant: string, name: string): Promise<string> {
  const list = await toQuotation(page, server, tenant, name);
  const base = list.replace("/quotations", "");
  await page.goto(`${base}/evidence`);
  await page.getByLabel("Samples").fill('{"E-mail":"a@example.com","Bought":"Poster"} {"E-mail":"b@example.com","Bought":"Book"}');
  await press(page, "See what they show");
  await page.goto(list);
  await press(page, "Draft the quotation");
  const one = page.url().split("?")[0];
  await page.goto(`${one}/lines/new`);
  await fillLine(page, "Connect the web shop", "16");
  await press(page, "Save and add another");
  await fillLine(page, "Train the team", "3", "120");
  await press(page, "Save the line");
  await press(page, "Send it");
  await page.goto(`${one}/links`);
  await page.getByLabel("For whom").fill("Jane");
  await press(page, "Make the link");
  await page.goto((await page.locator("#link").textContent()) ?? "");
  await press(page, "Show the quotation");
  await page.getByLabel("Your name").first().fill("Jane Doe");
  await page.getByLabel("Your role").fill("Head of membership");
  await page.getByLabel(/I accept this quotation/).check();
  await press(page, "Accept the quotation");
  return base;
}

export function fullImplementation(server: Server, tenant: string): Room[] {
  let base = "";
  const to = (rest: string) => (page: Page) => page.goto(`${base}${rest}`);
  const rooms: Omit<Room, "as">[] = [
    {
      name: "implementation",
      open: async (page) => {
        base = await toImplementation(page, server, tenant, "Posters that members buy");
        await page.goto(`${base}/implementation`);
      },
    },
    { name: "integration-being-built", open: to("") },
    { name: "implementation-task-new", open: to("/implementation/tasks/new") },
    {
      name: "implementation-task-amiss",
      open: async (page) => {
        await page.goto(`${base}/implementation/tasks/new`);
        await page.getByLabel("Due on").evaluate((field: HTMLInputElement) => (field.type = "text"));
        await page.getByLabel("Due on").fill("soon");
        await press(page, "Save the task");
      },
    },
    {
      name: "implementation-task",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await follow(page, "Look through the acceptance evidence");
      },
    },
    {
      name: "implementation-draft-type",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await inMain(page).getByRole("region", { name: "Drafts" }).getByRole("link").first().click();
      },
    },
    {
      name: "implementation-draft-amiss",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await inMain(page).getByRole("region", { name: "Drafts" }).getByRole("link").first().click();
        await page.getByLabel("Contract").fill("{");
        await press(page, "Make the event type");
      },
    },
    { name: "evidence-new", open: to("/implementation/evidence/new") },
    {
      name: "evidence-amiss",
      open: async (page) => {
        await page.goto(`${base}/implementation/evidence/new`);
        await page.getByLabel("A field is filled in").check();
        await press(page, "Save the evidence");
      },
    },
    {
      name: "evidence-waive",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await follow(page, /^Waive….*Train/);
      },
    },
    {
      name: "evidence-waive-amiss",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await follow(page, /^Waive….*Train/);
        await press(page, "Waive it");
      },
    },
    {
      name: "implementation-time-amiss",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await inMain(page).getByText("Write down time").click();
        await press(page, "Write it down");
      },
    },
    {
      name: "implementation-under-way",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await follow(page, /^Waive….*Train/);
        await page.getByLabel("Reason").fill("A training leaves no events.");
        await press(page, "Waive it");
        await inMain(page).getByText("Write down time").click();
        await page.getByLabel("Hours", { exact: true }).fill("2.5");
        await page.getByLabel("On what").fill("Talked with the agency");
        await press(page, "Write it down");
        await inMain(page).getByRole("region", { name: "Drafts" }).getByRole("link").first().click();
        await press(page, "Make the event type");
      },
    },
    {
      name: "implementation-token-made",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await inMain(page).getByRole("region", { name: "Drafts" }).getByRole("link", { name: /for Posters/ }).click();
        await press(page, "Make the token");
      },
    },
    {
      name: "implementation-draft-made",
      open: async (page) => {
        await page.goto(`${base}/implementation`);
        await inMain(page).getByRole("region", { name: "Drafts" }).getByRole("link", { name: "Posters that members buy" }).first().click();
      },
    },
    {
      name: "quotation-change-order",
      open: async (page) => {
        await page.goto(`${base}/quotations`);
        await press(page, "Draft a change order");
      },
    },
    { name: "home-with-turns", open: (page) => page.goto("/") },
  ];
  return rooms.map((room): Room => ({ ...room, as: "ada" }));
}
