// The pages about people, empty, full and in error.
import { type Page } from "@playwright/test";
import type { Room } from "./house";
import { inMain, PASSWORD, secondFactorOf } from "./journey";
import type { Server } from "./server";

const press = (page: Page, name: string) => inMain(page).getByRole("button", { name }).click();
const to = (path: string) => (page: Page) => page.goto(path);

/** Before anybody but the administrator is there. `tenant` has nobody. */
export function barePeople(tenant: () => string): Room[] {
  return [
    { name: "people-alone", as: "ada", open: to("/people") },
    { name: "people-none-fit", as: "ada", open: to("/people?state=deactivated") },
    { name: "person-invite", as: "ada", open: to("/people/invite") },
    {
      name: "person-invite-amiss",
      as: "ada",
      open: async (page) => {
        await page.goto("/people/invite");
        await page.getByLabel("E-mail").fill("ada.lovelace@example.com");
        await page.getByLabel("Customer", { exact: true }).check();
        await press(page, "Invite");
      },
    },
    { name: "tenant-people-empty", as: "ada", open: (page) => page.goto(`/tenants/${tenant()}/people`) },
    { name: "second-factor-off", as: "ada", open: to("/account/second-factor") },
    { name: "link-does-not-work", open: to("/invitation?token=none") },
    { name: "forgot-without-mail", open: to("/forgot-password") },
  ];
}

/** Once people have come and gone. */
export function fullPeople(server: Server, tenant: string): Room[] {
  const link = (args: string[]) => JSON.parse(server.command(["--json", "user", ...args])).link as string;
  const person = (email: string) =>
    server
      .command(["--json", "user", "list"])
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .find((row) => row.email === email).id as string;
  server.addUser("mallory@example.com", "consultant", PASSWORD);
  server.addUser("linus@example.com", "administrator", PASSWORD);
  server.command(["user", "deactivate", "mallory@example.com"]);
  const invitation = link(["invite", "katherine@example.com", "--name", "Katherine Johnson", "--role", "consultant"]);
  link(["invite", "hedy@example.com", "--role", "customer", "--tenant", tenant]);
  const reset = link(["reset-password", "linus@example.com"]);
  const origin = (url: string) => url.replace("http://127.0.0.1:3000", server.url);
  const [grace, mallory, katherine] = ["grace@example.com", "mallory@example.com", "katherine@example.com"].map(person);
  return [
    { name: "people", as: "ada", open: to("/people") },
    { name: "people-filtered", as: "ada", open: to("/people?state=invited") },
    { name: "person", as: "ada", open: to(`/people/${grace}`) },
    { name: "person-role", as: "ada", open: to(`/people/${grace}/role`) },
    { name: "person-deactivate", as: "ada", open: to(`/people/${grace}/deactivate`) },
    { name: "person-deactivated", as: "ada", open: to(`/people/${mallory}`) },
    { name: "person-reset-password", as: "ada", open: to(`/people/${grace}/reset-password`) },
    {
      name: "person-link-made",
      as: "ada",
      open: async (page) => {
        await page.goto(`/people/${grace}/reset-password`);
        await press(page, "Make the link");
      },
    },
    { name: "invitation", as: "ada", open: to(`/people/invitations/${katherine}`) },
    { name: "tenant-people", as: "ada", open: to(`/tenants/${tenant}/people`) },
    { name: "tenant-people-invite", as: "ada", open: to(`/tenants/${tenant}/people/invite`) },
    { name: "second-factor-required-ask", as: "ada", open: to("/people/second-factor") },
    { name: "invitation-accept", open: (page) => page.goto(origin(invitation)) },
    {
      name: "invitation-accept-amiss",
      open: async (page) => {
        await page.goto(origin(invitation));
        await page.getByLabel("Password", { exact: true }).fill("short");
        await press(page, "Make the account");
      },
    },
    { name: "reset-password", open: (page) => page.goto(origin(reset)) },
    {
      name: "second-factor-enrol",
      as: "grace",
      open: async (page) => {
        await page.goto("/account/second-factor");
        const start = inMain(page).getByRole("button", { name: "Set it up" });
        if (await start.isVisible()) await start.click();
      },
    },
    {
      name: "second-factor-codes",
      as: "grace",
      open: async (page) => {
        await page.getByLabel("Code", { exact: true }).fill(secondFactorOf(await page.locator("#secret").innerText()));
        await press(page, "Turn it on");
      },
    },
    { name: "second-factor-on", as: "grace", open: to("/account/second-factor") },
    { name: "second-factor-turn-off", as: "grace", open: to("/account/second-factor/off") },
    {
      name: "login-code",
      open: async (page) => {
        await page.goto("/login");
        await page.getByLabel("E-mail").fill("grace@example.com");
        await page.getByLabel("Password").fill(PASSWORD);
        await press(page, "Sign in");
      },
    },
    {
      name: "login-code-amiss",
      open: async (page) => {
        await page.getByLabel("Code", { exact: true }).fill("12345");
        await press(page, "Sign in");
      },
    },
  ];
}
