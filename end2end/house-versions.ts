// The pages of contracts and their versions: with a draft and without, tried on events, tested, copied.
import type { Page } from "@playwright/test";
import type { Room } from "./house";
import { ORDER, inMain } from "./journey";
import type { Server } from "./server";

/** A draft of orders: stricter here, looser there, and something said anew. */
export const DRAFT = {
  ...ORDER,
  required: ["Email Address", "Order Number", "Amount", "Currency"],
  properties: {
    ...ORDER.properties,
    "Order Number": { type: ["integer", "string"] },
    Amount: { type: "number", minimum: -100, examples: [59.9] },
    Currency: { type: "string", enum: ["EUR", "GBP"], description: "What was paid with." },
    Discount: { type: "number" },
  },
};

/** The rooms of a server where orders have come: `type` is the path of their type. */
export function versionRooms(server: Server, tenant: string, eventType: string): Room[] {
  const type = `/tenants/${tenant}/event-types/${eventType}`;
  const to = (path: string) => (page: Page) => page.goto(`${type}${path}`);
  const drafted = (path: string) => async (page: Page) => {
    server.saveDraft(tenant, eventType, DRAFT);
    await page.goto(`${type}${path}`);
  };
  const press = (page: Page, name: string) => inMain(page).getByRole("button", { name }).click();
  const rooms: Omit<Room, "as">[] = [
    { name: "contract-review-none", open: to("/contract/review") },
    { name: "contract-versions-one", open: to("/contract/versions") },
    { name: "contract-review", open: drafted("/contract/review") },
    {
      name: "contract-review-amiss",
      open: async (page) => {
        await drafted("/contract/review")(page);
        server.saveDraft(tenant, eventType, { ...DRAFT, title: "Saved meanwhile" });
        await press(page, "Activate version 2");
      },
    },
    { name: "contract-discard", open: drafted("/contract/discard") },
    { name: "event-type-with-draft", open: drafted("") },
    {
      name: "contract-versions",
      open: async (page) => {
        server.saveDraft(tenant, eventType, DRAFT);
        server.command(["event-type", "activate", "--tenant", tenant, eventType, "--note", "As agreed with the shop"]);
        await page.goto(`${type}/contract/versions`);
      },
    },
    { name: "contract-version", open: to("/contract/versions/2") },
    { name: "contract-version-earlier", open: to("/contract/versions/1") },
    { name: "contract-roll-back", open: to("/contract/versions/1/roll-back") },
    { name: "event-type-copy", open: to("/copy") },
    { name: "event-type-test", open: to("/test") },
    {
      name: "event-type-test-amiss",
      open: async (page) => {
        await page.goto(`${type}/test`);
        await page.getByLabel("Event", { exact: true }).fill('{"Amount": "x"}');
        await press(page, "Validate only");
      },
    },
    {
      name: "event-type-test-sent",
      open: async (page) => {
        await page.goto(`${type}/test`);
        await press(page, "Send test event");
      },
    },
    { name: "event-type-snippet-csharp", open: to("?snippet=csharp") },
    { name: "event-type-snippet-python", open: to("?snippet=python&token=address") },
  ];
  return rooms.map((room) => ({ ...room, as: "ada" }));
}
