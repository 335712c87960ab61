// The pages that documents show, and those of the demo alone.
import type { Page } from "@playwright/test";
import { PEOPLE, type Room } from "./house";
import { inMain, PASSWORD } from "./journey";
import type { Server } from "./server";

/** Fills the demo; what is to be seen of it. */
export async function demoHouse(server: Server): Promise<Room[]> {
  server.addUser(PEOPLE.ada.email, PEOPLE.ada.role, PASSWORD);
  const base = `/tenants/${JSON.parse(server.command(["--json", "demo"])).id}`;
  const to = (path: string) => (page: Page) => page.goto(path);
  /** By the list, to the page of what is called so. */
  const through = (list: string, name: string) => async (page: Page) => {
    await page.goto(`${base}/${list}`);
    await inMain(page).getByRole("link", { name }).first().click();
  };
  const rooms: Omit<Room, "as">[] = [
    { name: "demo-home", open: to("/") },
    { name: "demo-tenant", open: to(base) },
    { name: "demo-event-type", open: through("event-types", "Order placed") },
    { name: "demo-events", open: to(`${base}/events`) },
    { name: "demo-quarantine", open: to(`${base}/quarantine`) },
    { name: "demo-failure-group", open: through("quarantine", "/Amount") },
    { name: "demo-tokens", open: to(`${base}/tokens`) },
    { name: "demo-settings", open: to(`${base}/settings`) },
    { name: "demo-remove", open: to("/demo/remove") },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" }));
}
