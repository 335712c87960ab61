// The pages of tokens and of the audit trail, empty, full and in error.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { inMain, order } from "./journey";
import type { Door, Server } from "./server";

const press = (page: Page, name: string) => inMain(page).getByRole("button", { name }).click();

/** A tenant with nothing but itself. */
export function bareTokens(tenant: () => string): Room[] {
  return [
    { name: "audit-young", as: "ada", open: (page) => page.goto(`/tenants/${tenant()}/audit`) },
    { name: "audit-no-match", as: "ada", open: (page) => page.goto(`/tenants/${tenant()}/audit?actor=nobody`) },
    { name: "audit-filter-amiss", as: "ada", open: (page) => page.goto(`/tenants/${tenant()}/audit?from=yesterday`) },
  ];
}

/** Tokens of every state, used in every way. */
export async function fullTokens(server: Server, door: Door): Promise<Room[]> {
  const { tenant } = door;
  const base = `/tenants/${tenant}`;
  const roll = (id: string, overlap: string) =>
    JSON.parse(server.command(["--json", "token", "roll", "--tenant", tenant, id, "--overlap", overlap]));
  const used = server.addToken(tenant, "Ticketing in the theatre and at the doors");
  const switched = roll(used.id, "1d");
  const young = server.addToken(tenant, "Newsletter");
  const limited = server.addToken(tenant, "CRM");
  server.command(["token", "edit", "--tenant", tenant, limited.id, "--event-type", door.eventType, "--expires", "10d",
    "--address", "192.0.2.0/24", "--address", "2001:db8::/32"]);
  const over = server.addToken(tenant, "Kiosk");
  await server.untilOpen({ ...door, token: over.token });
  await server.send({ ...door, token: over.token }, order(4001));
  roll(over.id, "now");
  // in an address, from a web page
  const address = `${server.url}/events/v1.0/tenants/${tenant}/events/${door.eventType}?X-CM-PRODUCTTOKEN=${used.token}`;
  await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: "https://tickets.example.com" },
    body: JSON.stringify(order(4002)),
  });
  await server.send({ ...door, token: limited.token }, order(4003));
  await server.untilUsed(tenant, used.id);
  const token = (id: string, rest = "") => (page: Page) => page.goto(`${base}/tokens/${id}${rest}`);
  const rooms: Omit<Room, "as">[] = [
    { name: "tokens-of-all-kinds", open: (page) => page.goto(`${base}/tokens`) },
    { name: "token-warned", open: token(used.id) },
    { name: "token-successor", open: token(switched.id) },
    { name: "token-limited", open: token(limited.id) },
    { name: "token-unused", open: token(young.id) },
    { name: "token-replaced", open: token(over.id) },
    { name: "token-edit", open: token(limited.id, "/edit") },
    {
      name: "token-edit-amiss",
      open: async (page) => {
        await token(limited.id, "/edit")(page);
        await page.getByLabel("Name", { exact: true }).fill("");
        await page.getByLabel("Networks").fill("everywhere");
        await press(page, "Save");
      },
    },
    { name: "token-roll", open: token(limited.id, "/roll") },
    {
      name: "token-roll-amiss",
      open: async (page) => {
        await token(limited.id, "/roll")(page);
        await page.getByLabel("The successor expires").fill("yesterday");
        await press(page, "Roll token");
      },
    },
    {
      name: "token-rolled",
      open: async (page) => {
        const { id } = server.addToken(tenant, "Cash desks");
        await token(id, "/roll")(page);
        await press(page, "Roll token");
      },
    },
    { name: "token-overlap", open: token(used.id, "/overlap") },
    { name: "audit", open: (page) => page.goto(`${base}/audit`) },
    { name: "audit-of-one-thing", open: (page) => page.goto(`${base}/audit?object=${limited.id}`) },
    { name: "audit-of-all", open: (page) => page.goto("/audit") },
  ];
  return [
    ...rooms.map((room): Room => ({ ...room, as: "ada" })),
    { name: "token-manager", as: "grace", open: token(used.id) },
    { name: "audit-customer", as: "customer", open: (page) => page.goto(`${base}/audit`) },
  ];
}
