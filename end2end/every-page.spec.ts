// Every page there is, empty, full and in error: no accessibility fault in light or dark, no sideways scroll on a
// narrow screen, and at every Tab stop one sees where one is.
import { type Page } from "@playwright/test";
import { axeFaults } from "./axe";
import { focusStop } from "./focus";
import { bareHouse, browsers, emptyHouse, fullHouse, type Room } from "./house";
import { expect, test, type Visit } from "./journey";

test.describe.configure({ mode: "serial" });
test.setTimeout(2_700_000);

/** Goes once around with Tab. */
async function walk(page: Page, what: string): Promise<string[]> {
  const found: string[] = [];
  for (let stops = 0; stops < 120; stops += 1) {
    await page.keyboard.press("Tab");
    const { fault, around } = await page.evaluate(focusStop);
    if (fault) found.push(`${what}: ${fault}`);
    if (around) break;
  }
  return found;
}

async function check(rooms: Room[], visit: Visit): Promise<void> {
  const browserOf = browsers(visit, { reducedMotion: "reduce" });
  const found: string[] = [];
  for (const room of rooms) {
    try {
      found.push(...(await look(room, await browserOf(room))));
    } catch (error) {
      // one page that does not open does not hide the others
      found.push(`${room.name}: ${String(error).split("\n").slice(0, 6).join(" ")}`);
    }
  }
  expect(found).toEqual([]);
}

/** What is amiss with one page. */
async function look(room: Room, page: Page): Promise<string[]> {
  const found: string[] = [];
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: "light" });
  await room.open(page);
  await expect(page, `${room.name} has a name`).toHaveTitle(/\S+.* · Tributary$/);
  await expect(page.getByRole("heading", { level: 1 }), `${room.name} has one heading`).toHaveCount(1);
  found.push(...(await axeFaults(page, `${room.name}, light`)));
  // the other looks differ in colour alone
  await page.emulateMedia({ colorScheme: "dark" });
  found.push(...(await axeFaults(page, `${room.name}, dark`, ["color-contrast", "link-in-text-block"])));
  await page.setViewportSize({ width: 320, height: 640 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  if (width > 320) found.push(`${room.name}: scrolls sideways, ${width} px at 320`);
  // a menu that was opened lies over the page until Escape or its button closes it, which WCAG 2.4.11 allows
  if (room.name.startsWith("menu-")) return found;
  // as it is at rest: the link that skips to the content lies over the bar while it has the focus, and only then
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  found.push(...(await axeFaults(page, `${room.name}, narrow`, ["target-size", "scrollable-region-focusable"])));
  found.push(...(await walk(page, `${room.name}, narrow`)));
  return found;
}

test("before there is an account", async ({ visit, server }) => check(await emptyHouse(server), visit));
test("before there is anything", async ({ visit, server }) => check(await bareHouse(server), visit));
test("once things have happened", async ({ visit, server }) => check(await fullHouse(server), visit));
