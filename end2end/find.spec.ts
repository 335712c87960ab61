// Finding anything: by the palette and its keys, by the page of search, and events by what a field holds.
import { type Page } from "@playwright/test";
import { type Door, expect, inMain, PASSWORD, test } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;
let foreign: Door;
let event: string;
let base: string;

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed");
  foreign = await server.addDoor("Umbrella", "Order placed");
  server.addUser("carl@example.com", "consultant", PASSWORD, door.tenant);
  base = `/tenants/${door.tenant}`;
  for (let n = 0; n < 60; n += 1) {
    await server.send(door, { "Email Address": n % 30 ? `p${n}@example.com` : "jane@example.com", n });
  }
  const { receiptId } = (await server.send(foreign, { "Email Address": "jane@example.com" })).body;
  event = `${receiptId.slice(0, -4)}0001`;
});

const palette = (page: Page) => page.getByRole("dialog", { name: "Search" });
const field = (page: Page) => page.getByRole("combobox", { name: "Search" });

/** The two inputs of the filter by a field. */
const holds = (page: Page) => page.getByRole("combobox", { name: "Field", exact: true });
const is = (page: Page) => page.getByRole("textbox", { name: "Is", exact: true });

test("the palette by keyboard alone", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  const scripts: string[] = [];
  page.on("request", (request) => scripts.push(new URL(request.url()).pathname));
  await page.goto(base);
  expect(scripts.filter((path) => /palette|wasm/.test(path)), "nothing is loaded before it is asked for").toEqual([]);
  await page.keyboard.press("Control+k");
  await expect(field(page)).toBeFocused();
  await expect(page.getByRole("option").first(), "places and actions, before anything is typed").toBeVisible();
  expect(scripts.filter((path) => path.endsWith(".wasm"))).toEqual([]);

  await field(page).fill("order pl");
  const options = page.getByRole("group", { name: "Event types" }).getByRole("option");
  await expect(options).toHaveCount(2);
  await expect(options.first(), "of the tenant at hand first").toContainText("Acme Outdoor");
  await expect(options.first()).toHaveAttribute("aria-selected", "true");
  const active = await field(page).getAttribute("aria-activedescendant");
  await expect(options.first()).toHaveAttribute("id", active ?? "none");
  await expect(palette(page).getByRole("status")).toHaveText("2 results");
  await page.keyboard.press("ArrowDown");
  await expect(options.last()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowDown");
  await expect(options.first(), "around").toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`${base}/event-types/${door.eventType}$`));

  const opener = page.getByRole("link", { name: "Search" });
  await opener.focus();
  await page.keyboard.press("Enter");
  await expect(field(page)).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(palette(page)).toBeHidden();
  await expect(opener, "the focus is where it was").toBeFocused();

  // an id that is pasted and entered at once
  await page.keyboard.press("/");
  await field(page).fill(event);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`/tenants/${foreign.tenant}/events/${event}`);
});

test("a token that is pasted whole leaves the page as its beginning", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(decodeURIComponent(request.url())));
  await page.goto(base);
  await page.keyboard.press("Control+k");
  await field(page).fill(`Bearer ${door.token}`);
  await expect(field(page)).toHaveValue(door.token.slice(0, 12));
  await expect(page.getByRole("option")).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(new RegExp(`${base}/tokens/`));
  expect(asked.filter((url) => url.includes(door.token.slice(12)))).toEqual([]);
});

test("keys go places, are listed, and can be switched off", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(base);
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await expect(page).toHaveURL(`${base}/events`);
  await is(page).focus();
  await page.keyboard.type("g?/l");
  await expect(is(page), "what is typed into a field is text").toHaveValue("g?/l");
  await page.getByRole("heading", { name: "Events" }).click();
  await page.keyboard.press("?");
  await expect(page).toHaveURL("/shortcuts");
  await inMain(page).getByRole("button", { name: "Switch them off" }).click();
  await expect(page.getByText("The shortcuts are off.")).toBeVisible();
  await page.goto(base);
  for (const key of ["/", "?", "Control+k", "g", "e"]) await page.keyboard.press(key);
  await expect(page).toHaveURL(base);
  await expect(palette(page)).toBeHidden();
  await page.getByRole("link", { name: "Search" }).click();
  await expect(field(page), "the button still opens it").toBeFocused();
  await page.goto("/shortcuts");
  await inMain(page).getByRole("button", { name: "Switch them on" }).click();
  await expect(page.getByText("The shortcuts are on.")).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(field(page)).toBeFocused();
});

test("events by what a field holds: looked through, then by an index", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(`${base}/event-types/${door.eventType}/edit`);
  await page.getByLabel("Fields that events are found by").fill("Email Address");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(inMain(page).getByText("Found by")).toBeVisible();
  await page.goto(`${base}/events`);
  await page.getByLabel("Type").selectOption("Order placed");
  await holds(page).fill("Email Address");
  await is(page).fill("JANE@example.com");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(inMain(page).getByRole("row")).toHaveCount(3);
  await expect(page).toHaveURL(/field=Email\+Address&value=JANE%40example.com/);
  await expect(page.locator("#field-list option").first()).toHaveAttribute("value", "Email Address");
  await page.reload();
  await expect(is(page)).toHaveValue("JANE@example.com");
  await holds(page).fill("/n");
  await is(page).fill("7.0");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(inMain(page).getByRole("row"), "no index knows this one").toHaveCount(2);
});

test("one who is bound to a tenant finds nothing of another", async ({ visit }) => {
  const page = await visit({ as: "carl@example.com" });
  await page.goto("/");
  await page.keyboard.press("Control+k");
  for (const text of [event, foreign.tenant, foreign.token.slice(0, 12), "umbrella"]) {
    await field(page).fill(text);
    await expect(palette(page).getByText("Nothing found")).toBeVisible();
    await field(page).fill("order placed");
    await expect(page.getByRole("group", { name: "Event types" }).getByRole("option")).toHaveCount(1);
  }
  await page.goto(`/search?q=${event}`);
  await expect(page.getByRole("heading", { name: "Nothing that you may see has this id" })).toBeVisible();
});

test("a server that does not answer is told, and the page is still a way", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  await page.goto(base);
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("option").first()).toBeVisible();
  await page.route("**/search/suggest?*", (route) => route.fulfill({ status: 503, body: "{}" }));
  // it fails on purpose
  page.removeAllListeners("response");
  await field(page).fill("order");
  await expect(palette(page).getByRole("status")).toContainText("Search cannot be reached");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/search\?q=order/);
  await expect(inMain(page).getByRole("heading", { name: "Event types" })).toBeVisible();
});

test.describe("without a script", () => {
  test.use({ javaScriptEnabled: false });

  test("the button leads to a page that finds the same", async ({ visit }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled: false });
    await page.goto(base);
    await page.getByRole("link", { name: "Search" }).click();
    await expect(page).toHaveURL(`/search?tenant=${door.tenant}`);
    await inMain(page).getByRole("searchbox").fill("placed");
    await inMain(page).getByRole("button", { name: "Search" }).click();
    const types = inMain(page).getByRole("link", { name: /Order placed/ });
    await expect(types).toHaveCount(2);
    await types.first().click();
    await expect(page).toHaveURL(new RegExp(`${base}/event-types/`));
    await page.goto("/search");
    await inMain(page).getByRole("searchbox").fill(event);
    await inMain(page).getByRole("button", { name: "Search" }).click();
    await expect(page).toHaveURL(`/tenants/${foreign.tenant}/events/${event}`);
    await page.goto(`${base}/events?field=n&value=3`);
    await expect(inMain(page).getByRole("row")).toHaveCount(2);
  });
});
