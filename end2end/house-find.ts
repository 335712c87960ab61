// The pages of finding: search, the palette, the shortcuts, and events by what a field holds.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { inMain } from "./journey";
import type { Door, Server } from "./server";

/** Nothing to be found yet but pages. */
export function bareFind(tenant: () => string): Room[] {
  return [
    { name: "search", as: "ada", open: (page) => page.goto("/search") },
    { name: "search-nothing", as: "ada", open: (page) => page.goto(`/search?q=<b>nowhere&tenant=${tenant()}`) },
    { name: "shortcuts", as: "ada", open: (page) => page.goto("/shortcuts") },
  ];
}

export function fullFind(server: Server, door: Door): Room[] {
  const { tenant, eventType } = door;
  const base = `/tenants/${tenant}`;
  const to = (path: string) => (page: Page) => page.goto(path);
  server.command(["event-type", "searchable", "--tenant", tenant, eventType, "Email Address", "/Order Number"]);
  const rooms: Omit<Room, "as">[] = [
    { name: "search-words", open: to(`/search?q=order&tenant=${tenant}`) },
    { name: "search-unknown-id", open: to(`/search?q=0198c0de-0000-7000-8000-000000000001&tenant=${tenant}`) },
    { name: "search-unknown-token", open: to("/search?q=trb_AAAABBBB") },
    {
      name: "menu-palette",
      open: async (page) => {
        await page.goto(base);
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox", { name: "Search" }).fill("order");
        await page.getByRole("option", { name: /Order placed/ }).waitFor();
      },
    },
    {
      name: "menu-palette-nothing",
      open: async (page) => {
        await page.goto(base);
        await page.keyboard.press("Control+k");
        await page.getByRole("combobox", { name: "Search" }).fill("nowhere to be found");
        await page.getByText("Nothing found").waitFor();
      },
    },
    {
      name: "shortcuts-off",
      open: async (page) => {
        await page.goto("/shortcuts");
        await inMain(page).getByRole("button", { name: "Switch them off" }).click();
        await page.getByText("The shortcuts are off.").waitFor();
        // what comes after needs them
        await inMain(page).getByRole("button", { name: "Switch them on" }).click();
        await page.getByText("The shortcuts are on.").waitFor();
      },
    },
    { name: "events-by-field", open: to(`${base}/events?type=${eventType}&field=Currency&value=eur`) },
    { name: "events-by-field-none", open: to(`${base}/events?field=Currency&value=shells`) },
    { name: "events-by-field-amiss", open: to(`${base}/events?field=Currency`) },
    { name: "event-type-searchable", open: to(`${base}/event-types/${eventType}`) },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" }));
}
