// Tasks, exports and how long events are kept: every page, empty, under way, done and in error.
import type { Page } from "@playwright/test";
import { inMain } from "./journey";
import type { Room } from "./house";
import type { Door } from "./server";

const press = (page: Page, name: string) => inMain(page).getByRole("button", { name }).click();

/** Starts an export of what `path` asks for, and waits for its end. */
export async function exportOf(page: Page, path: string, format: "JSON lines" | "CSV"): Promise<void> {
  await page.goto(path);
  await page.getByRole("radio", { name: format }).check();
  await press(page, "Start export");
  await page.getByText("All done").or(page.getByText("It could not be done")).first().waitFor();
}

/** The pages of a tenant that has had no task yet. */
export function bareOfJobs(tenant: () => string): Room[] {
  const to = (name: string, path: string): Room => ({ name, as: "ada", open: (page) => page.goto(`/tenants/${tenant()}${path}`) });
  return [to("tasks-empty", "/tasks"), to("export-empty", "/exports/new")];
}

/** The pages of a tenant that has events, some of them in quarantine. */
export function fullOfJobs({ tenant }: Door): Room[] {
  const base = `/tenants/${tenant}`;
  const rooms: Omit<Room, "as">[] = [
    { name: "export", open: (page) => page.goto(`${base}/exports/new?from=2020-01-01T00:00`) },
    { name: "export-quarantine", open: (page) => page.goto(`${base}/exports/new?verdict=quarantined`) },
    {
      name: "export-amiss",
      open: async (page) => {
        await page.goto(`${base}/exports/new`);
        await page.evaluate(() => document.querySelectorAll<HTMLInputElement>("[type=radio]").forEach((one) => (one.value = "odd")));
        await press(page, "Start export");
      },
    },
    { name: "task-done", open: (page) => exportOf(page, `${base}/exports/new`, "CSV") },
    { name: "tasks", open: (page) => page.goto(`${base}/tasks`) },
    {
      name: "retention-amiss",
      open: async (page) => {
        await page.goto(`${base}/settings`);
        await page.getByLabel("Accepted events").fill("0");
        await press(page, "Save times");
      },
    },
    {
      name: "retention-shorter",
      open: async (page) => {
        await page.goto(`${base}/settings`);
        await page.getByLabel("Unique values").fill("100");
        await press(page, "Save times");
      },
    },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" as const }));
}
