// The pages by which a failure is closed: the fix that is drafted, what passes then, and a group with nothing left.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { inMain } from "./journey";
import type { Door, Server } from "./server";

/** Of a tenant of which one type let events pass with a warning, and another was mended. */
export async function fullMendfail(server: Server, door: Door): Promise<Room[]> {
  const schema = { required: ["Gate"], properties: { Gate: { type: "integer" } } };
  const tickets = { ...door, eventType: server.addEventType(door.tenant, "Gate opened", schema) };
  await server.untilOpen(tickets);
  await server.send(tickets, [{ Gate: "North" }, { Gate: "South" }, {}]);
  const quarantine = `/tenants/${door.tenant}/quarantine`;
  const contract = `/tenants/${door.tenant}/event-types/${tickets.eventType}/contract`;
  const group = async (page: Page, name: RegExp) => {
    for (let tries = 0; tries < 50; tries += 1) {
      await page.goto(`${quarantine}?state=all&type=${tickets.eventType}`);
      const link = inMain(page).getByRole("link", { name });
      if (await link.count()) return link.first().click();
      await page.waitForTimeout(100);
    }
    throw new Error(`no group ${name}`);
  };
  const rooms: Omit<Room, "as">[] = [
    { name: "failure-fix", open: (page) => group(page, /^\/Gate: expected/) },
    {
      name: "failure-fix-drafted",
      open: async (page) => {
        await group(page, /^\/Gate: expected/);
        const draft = page.getByRole("button", { name: "Draft this change" });
        if (await draft.count()) await draft.click();
        await page.goto(`${contract}/review`);
      },
    },
    {
      name: "failure-fix-activated",
      open: async (page) => {
        await page.goto(`${contract}/review`);
        const activate = page.getByRole("button", { name: /^Activate version/ });
        if (await activate.count()) await activate.click();
        await page.goto(`${contract}/versions?done=activated`);
      },
    },
    {
      name: "quarantine-events-filtered",
      open: (page) => page.goto(`${quarantine}/events?type=${tickets.eventType}&source=anonymous&from=2020-01-01T00:00`),
    },
    {
      name: "quarantine-replay-filtered",
      open: (page) => page.goto(`${quarantine}/replay?type=${tickets.eventType}&from=2020-01-01T00:00`),
    },
    {
      name: "failure-group-settled",
      open: async (page) => {
        await page.goto(`${quarantine}/replay?type=${tickets.eventType}`);
        const replay = page.getByRole("button", { name: /^Replay/ });
        if (await replay.count()) await replay.click();
        await page.waitForTimeout(2000);
        await group(page, /^\/Gate: expected/);
      },
    },
    { name: "failure-groups-settled", open: (page) => page.goto(`${quarantine}?type=${tickets.eventType}`) },
    { name: "explorer-warned", open: (page) => page.goto(`/tenants/${door.tenant}/events?verdict=warned`) },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" }));
}
