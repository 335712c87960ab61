// Every page there is, empty, full and in error: what the checks of every page and the pictures go through.
import type { Page } from "@playwright/test";
import { bareFind, fullFind } from "./house-find";
import { bareAlerts, fullAlerts } from "./house-alerts";
import { bareFailures, fullFailures } from "./house-failures";
import { fullMendfail } from "./house-mendfail";
import { versionRooms } from "./house-versions";
import { bareOfJobs, fullOfJobs } from "./house-jobs";
import { bareIntake, fullIntake } from "./house-intake";
import { fullQuotations } from "./house-quotations";
import { fullImplementation } from "./house-implementation";
import { ORDER, PASSWORD, type Visit, inMain, order } from "./journey";
import { designerRooms } from "./house-designer";
import { bareSources, fullSources } from "./house-sources";
import { bareTokens, fullTokens } from "./house-tokens";
import { fullPortal } from "./house-portal";
import { barePeople, fullPeople } from "./house-people";
import type { Door, Server } from "./server";

export interface Room {
  /** Names the picture. */
  name: string;
  /** Whose browser; nobody is signed in without one. */
  as?: keyof typeof PEOPLE;
  open(page: Page): Promise<unknown>;
}

export const PEOPLE = {
  ada: { email: "ada.lovelace@example.com", role: "administrator" },
  grace: { email: "grace@example.com", role: "success-manager" },
  customer: { email: "customer@example.com", role: "customer" },
};

const press = (page: Page, name: string) => inMain(page).getByRole("button", { name }).click();

/** The pages of a server that nobody has set up. */
export async function emptyHouse(server: Server): Promise<Room[]> {
  const link = await server.printedUrl(/\/setup\?/);
  return [
    { name: "setup", open: (page) => page.goto(link) },
    {
      name: "setup-amiss",
      open: async (page) => {
        await page.goto(link);
        await page.getByLabel("Name", { exact: true }).fill("Ada Lovelace");
        await press(page, "Make the account");
      },
    },
    { name: "setup-link-bad", open: (page) => page.goto("/setup?token=none") },
    { name: "login-nobody-yet", open: (page) => page.goto("/login") },
  ];
}

/** The pages of a server with accounts and tenants that have nothing yet. Once these were looked at. */
export async function bareHouse(server: Server): Promise<Room[]> {
  server.addUser(PEOPLE.ada.email, PEOPLE.ada.role, PASSWORD);
  const ada = "ada" as const;
  let tenant = "";
  return [
    { name: "login", open: (page) => page.goto("/login") },
    {
      name: "login-amiss",
      open: async (page) => {
        await page.goto("/login");
        await page.getByLabel("E-mail").fill("ada@example.com");
        await page.getByLabel("Password").fill("wrong password");
        await press(page, "Sign in");
      },
    },
    { name: "error-signed-out", open: (page) => page.goto("/nothing-here") },
    { name: "home-empty", as: ada, open: (page) => page.goto("/") },
    { name: "tenants-empty", as: ada, open: (page) => page.goto("/tenants") },
    { name: "tenant-new", as: ada, open: (page) => page.goto("/tenants/new") },
    {
      name: "tenant-new-amiss",
      as: ada,
      open: async (page) => {
        await page.goto("/tenants/new");
        await page.getByLabel("Id", { exact: false }).fill("not a GUID");
        await press(page, "Create tenant");
      },
    },
    {
      name: "tenant-empty",
      as: ada,
      open: async (page) => {
        tenant ||= server.addTenant("Brightwater Festivals");
        await page.goto(`/tenants/${tenant}`);
      },
    },
    ...["event-types", "tokens", "events", "live", "quarantine", "settings"].map((name) => ({
      name: `${name}-empty`,
      as: ada,
      open: (page: Page) => page.goto(`/tenants/${tenant}/${name}`),
    })),
    ...bareAlerts(() => tenant),
    ...bareFailures(() => tenant),
    ...bareOfJobs(() => tenant),
    ...bareSources(() => tenant),
    ...bareTokens(() => tenant),
    ...barePeople(() => tenant),
    ...bareFind(() => tenant),
    ...bareIntake(() => tenant),
  ];
}

/** The pages of a server where things have happened. */
export async function fullHouse(server: Server): Promise<Room[]> {
  const door = await server.addDoor("Acme Outdoor", "Order placed", ORDER);
  const { tenant } = door;
  const broken = { "Email Address": "jane@", "Order Number": "A-1002", Amount: -5, Currency: "EURO" };
  const waiting = server.addEventType(tenant, "Newsletter signup");
  const disabled = await server.addDoor("Northwind Traders International Holdings", "Ticket scanned");
  const revoked = server.addToken(tenant, "Cash desks");
  server.command(["token", "revoke", "--tenant", tenant, revoked.id]);
  server.addUser(PEOPLE.grace.email, PEOPLE.grace.role, PASSWORD);
  server.addUser(PEOPLE.customer.email, PEOPLE.customer.role, PASSWORD, tenant);
  for (let number = 1000; number < 1060; number += 1) await server.send(door, order(number));
  const bad = (await server.send(door, broken)).body;
  const good = (await server.send(door, [order(2001), order(2002)])).body;
  const [first, second] = [bad.receiptId, good.receiptId].map((receipt: string) => eventOf(receipt, 1));
  const base = `/tenants/${tenant}`;
  const type = `${base}/event-types/${door.eventType}`;
  return [
    ...ofAda(server, base, type, waiting, first, second),
    ...designerRooms(`${base}/event-types`, door.eventType, waiting),
    ...fullOfJobs(door),
    ...ofOthers(base, disabled, broken, server, door),
    ...(await fullFailures(server, door)),
    ...fullAlerts(door),
    ...(await fullMendfail(server, door)),
    ...(await fullSources(server, door)),
    ...(await fullTokens(server, door)),
    ...fullPeople(server, tenant),
    ...fullFind(server, door),
    ...fullIntake(server, tenant),
    ...fullQuotations(server, tenant),
    ...fullPortal(server, tenant),
    ...fullImplementation(server, tenant),
    ...versionRooms(server, tenant, door.eventType),
  ];
}

/** The id of an event is that of its receipt, with its place at the end. */
export function eventOf(receipt: string, place: number): string {
  return receipt.slice(0, -4) + place.toString(16).padStart(4, "0");
}

function ofAda(server: Server, base: string, type: string, waiting: string, bad: string, good: string): Room[] {
  const to = (path: string) => (page: Page) => page.goto(path);
  const rooms: Omit<Room, "as">[] = [
    { name: "home", open: to("/") },
    { name: "tenants", open: to("/tenants") },
    { name: "tenant", open: to(base) },
    { name: "event-types", open: to(`${base}/event-types`) },
    { name: "event-type", open: to(`${base}/event-types/${waiting}`) },
    { name: "event-type-with-events", open: to(type) },
    { name: "event-type-new", open: to(`${base}/event-types/new`) },
    { name: "event-type-new-json", open: to(`${base}/event-types/new?as=json`) },
    { name: "help", open: to("/help") },
    { name: "time-zone", open: to("/account/time-zone") },
    {
      name: "event-type-new-amiss",
      open: async (page) => {
        await page.goto(`${base}/event-types/new?as=json`);
        await page.getByLabel("JSON Schema 2020-12").fill('{\n  "type": "objekt",\n}');
        await press(page, "Create event type");
      },
    },
    { name: "event-type-edit", open: to(`${type}/edit`) },
    { name: "event-type-disable", open: to(`${type}/disable`) },
    { name: "tokens", open: to(`${base}/tokens`) },
    { name: "token-new", open: to(`${base}/tokens/new`) },
    {
      name: "token-new-amiss",
      open: async (page) => {
        await page.goto(`${base}/tokens/new`);
        await page.getByLabel("Expires").fill("yesterday");
        await page.getByLabel("Networks").fill("everywhere");
        await press(page, "Create token");
      },
    },
    {
      name: "token-created",
      open: async (page) => {
        await page.goto(`${base}/tokens/new`);
        await page.getByLabel("Name").fill("Ticketing");
        await press(page, "Create token");
      },
    },
    {
      name: "token-revoke",
      open: async (page) => {
        await page.goto(`${base}/tokens`);
        await inMain(page).getByRole("link", { name: "Web shop" }).click();
        await page.getByRole("link", { name: "Revoke…" }).click();
        await press(page, "Revoke token");
      },
    },
    { name: "events", open: to(`${base}/events`) },
    { name: "events-older", open: async (page) => {
      await page.goto(`${base}/events`);
      await page.getByRole("link", { name: "Older" }).click();
    } },
    { name: "events-no-match", open: to(`${base}/events?until=2020-01-01T00:00`) },
    { name: "events-filter-amiss", open: to(`${base}/events?from=yesterday`) },
    { name: "event", open: to(`${base}/events/${good}`) },
    { name: "event-as-sent", open: to(`${base}/events/${good}?payload=as-sent`) },
    { name: "event-with-errors", open: to(`${base}/events/${bad}`) },
    { name: "quarantine", open: to(`${base}/quarantine`) },
    { name: "live-waiting", open: to(`${base}/live`) },
    { name: "settings", open: to(`${base}/settings`) },
    {
      name: "settings-amiss",
      open: async (page) => {
        await page.goto(`${base}/settings`);
        await page.getByLabel("Web pages").fill("example.com/shop");
        await inMain(page).getByRole("button", { name: "Save", exact: true }).click();
      },
    },
    { name: "tenant-disable", open: to(`${base}/disable`) },
    { name: "account", open: to("/account") },
    {
      name: "account-amiss",
      open: async (page) => {
        await page.goto("/account");
        await page.getByLabel("New password", { exact: true }).fill("short");
        await press(page, "Change password");
      },
    },
    {
      name: "menu-account",
      open: async (page) => {
        await page.goto(base);
        await page.getByRole("button", { name: /^Account of/ }).click();
      },
    },
    {
      name: "menu-tenants",
      open: async (page) => {
        await page.goto(base);
        await page.getByRole("button", { name: /^Tenant:/ }).click();
      },
    },
    { name: "error-not-found", open: to(`${base}/events/00000000-0000-7000-8000-000000000001`) },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" }));
}

function ofOthers(base: string, other: Door, broken: object, server: Server, door: Door): Room[] {
  const to = (path: string) => (page: Page) => page.goto(path);
  return [
    {
      name: "live",
      as: "ada",
      open: async (page) => {
        await page.goto(`${base}/live`);
        await page.getByText("Connected").waitFor();
        for (const number of [3001, 3002]) await server.send(door, order(number));
        await server.send(door, broken);
        await page.getByRole("listitem").filter({ hasText: "quarantined" }).first().waitFor();
      },
    },
    {
      name: "events-with-news",
      as: "ada",
      open: async (page) => {
        await page.goto(`${base}/events`);
        await page.locator('leptos-island[data-component^="NewEvents"]').waitFor({ state: "attached" });
        await server.send(door, order(3003));
        await page.getByRole("link", { name: /new — show/ }).waitFor();
      },
    },
    {
      name: "event-type-first-came",
      as: "ada",
      open: async (page) => {
        const type = server.addEventType(door.tenant, "Visit planned");
        await server.untilOpen({ ...door, eventType: type });
        await page.goto(`${base}/event-types/${type}`);
        await server.send({ ...door, eventType: type }, { "Email Address": "ada@example.com" });
        await page.getByText("The first event has arrived").waitFor();
      },
    },
    {
      name: "tenant-disabled",
      as: "ada",
      open: async (page) => {
        await page.goto(`/tenants/${other.tenant}/disable`);
        await press(page, "Disable tenant");
      },
    },
    {
      name: "event-type-disabled",
      as: "ada",
      open: async (page) => {
        await page.goto(`/tenants/${other.tenant}/event-types/${other.eventType}/disable`);
        await press(page, "Disable event type");
      },
    },
    { name: "home-manager", as: "grace", open: to("/") },
    { name: "tenant-manager", as: "grace", open: to(base) },
    { name: "event-type-manager", as: "grace", open: to(`${base}/event-types/${door.eventType}`) },
    { name: "error-forbidden", as: "grace", open: to(`${base}/events`) },
    { name: "tenant-customer", as: "customer", open: to("/") },
  ];
}

/** A browser for each kind of person, opened when first asked for. */
export function browsers(visit: Visit, options: Parameters<Visit>[0] = {}): (room: Room) => Promise<Page> {
  const opened = new Map<string | undefined, Promise<Page>>();
  return (room) => {
    const known = opened.get(room.as) ?? visit({ ...options, as: room.as && PEOPLE[room.as].email });
    opened.set(room.as, known);
    return known;
  };
}
