// The pages of alerts: empty, full and in error.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { inMain } from "./journey";
import type { Door } from "./server";

/** Of a tenant that has nothing, and of an installation that tells nobody. */
export function bareAlerts(tenant: () => string): Room[] {
  return [
    { name: "alerts-empty", as: "ada", open: (page) => page.goto(`/tenants/${tenant()}/alerts`) },
    { name: "alerts-of-all-empty", as: "ada", open: (page) => page.goto("/alerts") },
  ];
}

async function channel(page: Page, base: string, kind: string, name: string, address: string): Promise<void> {
  await page.goto(base);
  const there = inMain(page).getByRole("link", { name, exact: true });
  if (await there.count()) return there.first().click();
  await page.goto(`${base}/channels/new?kind=${kind}`);
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel(kind === "web" ? "Address" : "E-mail address").fill(address);
  await inMain(page).getByRole("button", { name: /^Add/ }).click();
  const copied = page.getByRole("link", { name: "I have copied it" });
  if (await copied.count()) await copied.click();
}

/** Of a tenant where things go wrong. */
export function fullAlerts(door: Door): Room[] {
  const base = `/tenants/${door.tenant}/alerts`;
  const web = (page: Page) => channel(page, base, "web", "Incident desk", "https://hooks.example.com/tributary");
  const rooms: Omit<Room, "as">[] = [
    { name: "alert-channel-new-web", open: (page) => page.goto(`${base}/channels/new?kind=web`) },
    {
      name: "alert-channel-new-mail-amiss",
      open: async (page) => {
        await page.goto(`${base}/channels/new?kind=mail`);
        await page.getByLabel("E-mail address").fill("nobody");
        await inMain(page).getByRole("button", { name: /^Add/ }).click();
      },
    },
    {
      name: "alert-channel-secret",
      open: async (page) => {
        await web(page);
        await page.getByRole("link", { name: "New secret…" }).click();
        await inMain(page).getByRole("button", { name: "Make new secret" }).click();
      },
    },
    {
      name: "alert-channel-web",
      open: async (page) => {
        await web(page);
        await inMain(page).getByRole("button", { name: "Send a test" }).click();
        await page.waitForTimeout(2500);
        await page.reload();
      },
    },
    { name: "alert-channel-mail", open: (page) => channel(page, base, "mail", "On duty", "duty@example.com") },
    {
      name: "alert-channel-remove",
      open: async (page) => {
        await web(page);
        await page.getByRole("link", { name: "Remove…" }).click();
      },
    },
    { name: "alerts", open: (page) => page.goto(base) },
    { name: "alert-rules", open: (page) => page.goto(`${base}/rules/${door.eventType}`) },
    {
      name: "alert-rules-amiss",
      open: async (page) => {
        await page.goto(`${base}/rules/${door.eventType}`);
        await page.getByLabel("From this share on, in percent").fill("0");
        await inMain(page).getByRole("button", { name: "Save" }).click();
      },
    },
    { name: "tenant-28-days", open: (page) => page.goto(`/tenants/${door.tenant}?range=28d`) },
  ];
  return [
    ...rooms.map((room) => ({ ...room, as: "ada" as const })),
    { name: "alerts-manager", as: "grace", open: (page) => page.goto(base) },
  ];
}
