// Taking pictures of pages, light and dark, wide and narrow, into docs/pictures/.
import path from "node:path";
import { browsers, type Room } from "./house";
import type { Visit } from "./journey";

const FOLDER = path.resolve(import.meta.dirname, "../docs/pictures");
/** Documents show the beginning of a long page, and nobody else needs more than this either. */
const HIGHEST = 1600;
const SCREENS = [
  { width: 1280, height: 800, mark: "" },
  { width: 320, height: 640, mark: "-320" },
];

export async function takeAll(rooms: Room[], visit: Visit): Promise<void> {
  const browserOf = browsers(visit, { reducedMotion: "reduce" });
  for (const room of rooms) {
    const page = await browserOf(room);
    await page.setViewportSize(SCREENS[0]);
    await room.open(page);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const { mark, ...size } of SCREENS) {
        await page.setViewportSize(size);
        const name = `${room.name}-${colorScheme}${mark}`;
        const whole = await page.evaluate(() => document.documentElement.scrollHeight);
        const clip = { x: 0, y: 0, width: size.width, height: Math.min(whole, HIGHEST) };
        await page.screenshot({ path: path.join(FOLDER, `${name}.png`), fullPage: true, clip });
      }
    }
  }
}
