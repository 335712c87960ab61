// Takes a picture of every page, light and dark, wide and narrow, into docs/pictures/; `make pictures` runs it.
// It is no test: who looks at the pictures judges.
import path from "node:path";
import { bareHouse, browsers, emptyHouse, fullHouse, type Room } from "./house";
import { test, type Visit } from "./journey";

const FOLDER = path.resolve(import.meta.dirname, "../docs/pictures");
const WIDTHS = [1280, 320];

test.setTimeout(600_000);

async function takeAll(rooms: Room[], visit: Visit): Promise<void> {
  const browserOf = browsers(visit, { reducedMotion: "reduce", viewport: { width: 1280, height: 800 } });
  for (const room of rooms) {
    const page = await browserOf(room);
    await page.setViewportSize({ width: 1280, height: 800 });
    await room.open(page);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: width > 600 ? 800 : 640 });
        const name = `${room.name}-${colorScheme}${width === 1280 ? "" : `-${width}`}.png`;
        await page.screenshot({ path: path.join(FOLDER, name), fullPage: true, animations: "disabled" });
      }
    }
  }
}

test("before there is an account", async ({ visit, server }) => takeAll(await emptyHouse(server), visit));
test("before there is anything", async ({ visit, server }) => takeAll(await bareHouse(server), visit));
test("once things have happened", async ({ visit, server }) => takeAll(await fullHouse(server), visit));
