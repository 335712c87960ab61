// A consultant writes contracts: from samples, in a table, as JSON; with scripts and without.
import { expect, inMain, ORDER, PASSWORD, statusAfter, test, type Door } from "./journey";

test.describe.configure({ mode: "serial" });
let door: Door;

const SAMPLES = [1, 2, 3, 4, 5, 6, 7, 8]
  .map((n) =>
    JSON.stringify({
      Klantnummer: `00${n}12`,
      "E-mailadres": `jane${n}@example.com`,
      Mobiel: `06-1234567${n}`,
      Status: n % 2 ? "betaald" : "open",
      Bedrag: 10 * n,
      Regels: [{ Artikel: "TENT", Aantal: n }],
      ...(n > 2 ? { Opmerking: "Graag bellen" } : {}),
    }),
  )
  .join("\n");

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  server.addUser("ada@example.com", "consultant", PASSWORD);
  door = await server.addDoor("Acme Outdoor", "Order placed", { ...ORDER, "x-team": "web" });
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with scripts" : "without scripts";

  test(`samples become a new event type, ${how}`, async ({ visit, server }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    await page.goto(`/tenants/${door.tenant}/event-types/new`);
    await inMain(page).getByRole("link", { name: "From samples" }).click();
    const propose = inMain(page).getByRole("button", { name: "Propose fields" });
    await page.getByLabel("Events", { exact: false }).first().fill('{"a": 1}\n{"a": ');
    expect(await statusAfter(page, () => propose.click())).toBe(422);
    await expect(page.getByRole("alert")).toContainText("from line 2 on");
    await page.locator("#sample").fill(SAMPLES);
    await propose.click();

    const mail = page.getByRole("group", { name: "Field /E-mailadres" });
    await expect(mail.getByLabel("Type")).toHaveValue("email");
    await expect(mail.getByLabel("Identifies")).toHaveValue("email");
    await expect(mail).toContainText("in 8 of 8");
    await expect(page.getByRole("group", { name: "Field /Opmerking" })).toContainText("in 6 of 8");
    await expect(page.getByRole("group", { name: "Field /Klantnummer" })).toContainText("leading zeros");
    await expect(page.getByRole("group", { name: "Field /Regels/*/Aantal" }).getByLabel("Type")).toHaveValue("integer");
    await page.getByRole("group", { name: "Field /Opmerking" }).getByLabel(/^Remove/).check();
    await page.locator("#name").fill(`Bestelling ${how}`);
    await inMain(page).getByRole("button", { name: "Create event type" }).click();

    await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Bestelling ${how}`);
    const type = page.url().split("/").pop()!.split("?")[0];
    const made = { ...door, eventType: type };
    await server.untilOpen(made);
    expect((await server.send(made, JSON.parse(SAMPLES.split("\n")[0]))).status).toBe(201);
    const wrong = await server.send(made, { ...JSON.parse(SAMPLES.split("\n")[0]), Mobiel: "bel me" });
    expect(wrong.body.rejected[0].errors[0]).toMatchObject({ path: "/Mobiel", rule: "format" });
  });

  test(`a contract is edited as a table and as JSON, ${how}`, async ({ visit }) => {
    const page = await visit({ as: "ada@example.com", javaScriptEnabled });
    await page.goto(`/tenants/${door.tenant}/event-types/${door.eventType}/contract`);
    const row = (name: string) => page.getByRole("group", { name: `Field /${name}`, exact: true });
    await row("Currency").getByLabel("Required").check();
    const added = page.getByRole("group", { name: "Add a field" });
    await added.getByLabel("Name").fill("Currency");
    await added.getByRole("button", { name: "Add" }).click();
    await expect(page.getByRole("alert")).toContainText("There is a field called");
    await expect(row("Currency").getByLabel("Required"), "what was typed is kept").toBeChecked();
    await added.getByLabel("Name").fill(`Coupon ${how}`);
    await added.getByRole("button", { name: "Add" }).click();
    await expect(row(`Coupon ${how}`).getByLabel("Type")).toHaveValue("text");
    await expect(page.getByRole("region", { name: "JSON Schema" })).toContainText(`"Coupon ${how}"`);

    await inMain(page).getByRole("button", { name: "Edit as JSON" }).click();
    const json = page.locator("#contract");
    const text = await json.inputValue();
    expect(JSON.parse(text)).toMatchObject({ "x-team": "web", required: [...ORDER.required, "Currency"] });
    await json.fill(text.replace('"x-team": "web"', '"x-team": "shop"'));
    await inMain(page).getByRole("button", { name: "Edit as a table" }).click();
    await expect(inMain(page)).toContainText("x-team shop");
    await expect(row(`Coupon ${how}`)).toBeVisible();
  });
}

test("a file comes in and goes out", async ({ visit }) => {
  const page = await visit({ as: "ada@example.com" });
  const path = `/tenants/${door.tenant}/event-types/${door.eventType}/contract`;
  await page.goto(`${path}?as=json`);
  const schema = '{"type": "object", "minProperties": 1, "properties": {"Sku": {"type": "string"}}}';
  await page.locator("#file").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from(schema) });
  await inMain(page).getByRole("button", { name: "Edit as a table" }).click();
  await expect(page.getByRole("group", { name: "Field /Sku" })).toBeVisible();
  await expect(inMain(page)).toContainText("minProperties 1");
  const download = page.waitForEvent("download");
  await inMain(page).getByRole("link", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toBe("order-placed.schema.json");
});
