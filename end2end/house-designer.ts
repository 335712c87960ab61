// The pages on which contracts are written: full, empty, and in error.
import type { Page } from "@playwright/test";
import { inMain } from "./journey";
import type { Room } from "./house";

const SAMPLE = '{"Klantnummer": "0012", "E-mailadres": "jane@example.com", "Geboortedatum": "31-12-1980", "Bedrag": "12,50"}\n'.repeat(3);

/** `list` is the address of the event types of a tenant, `full` and `empty` are two of their ids. */
export function designerRooms(list: string, full: string, empty: string): Room[] {
  const press = (page: Page, name: string) => inMain(page).getByRole("button", { name, exact: true }).click();
  const rooms: Omit<Room, "as">[] = [
    { name: "contract", open: (page) => page.goto(`${list}/${full}/contract`) },
    {
      name: "contract-opened",
      open: async (page) => {
        await page.goto(`${list}/${full}/contract`);
        await page.locator("summary").last().click();
        await page.locator("#f0-remove").check();
      },
    },
    { name: "contract-empty", open: (page) => page.goto(`${list}/${empty}/contract`) },
    {
      name: "contract-amiss",
      open: async (page) => {
        await page.goto(`${list}/${full}/contract`);
        await page.locator("#f0-name").fill("");
        await page.locator("#new-name").fill("Amount");
        await press(page, "Update");
      },
    },
    { name: "contract-json", open: (page) => page.goto(`${list}/${full}/contract?as=json`) },
    {
      name: "contract-json-amiss",
      open: async (page) => {
        await page.goto(`${list}/${full}/contract?as=json`);
        await page.locator("#contract").fill('{\n  "type": "objekt"\n}');
        await press(page, "Save and review");
      },
    },
    { name: "contract-samples", open: (page) => page.goto(`${list}/${full}/contract/propose`) },
    { name: "event-type-samples", open: (page) => page.goto(`${list}/new/sample`) },
    {
      name: "event-type-samples-amiss",
      open: async (page) => {
        await page.goto(`${list}/new/sample`);
        await page.locator("#sample").fill('{"a": 1}\n{"a": ');
        await press(page, "Propose fields");
      },
    },
    {
      name: "contract-proposed",
      open: async (page) => {
        await page.goto(`${list}/new/sample`);
        await page.locator("#sample").fill(SAMPLE);
        await press(page, "Propose fields");
      },
    },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" }));
}
