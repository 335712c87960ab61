// Two customers of two tenants, each in a browser of their own: nothing of the other is ever seen.
import { type Page } from "@playwright/test";
import { expect, inMain, PASSWORD, test, type Door } from "./journey";
import { eventOf } from "./house";

interface Customer {
  name: string;
  type: string;
  secret: string;
  email: string;
  door: Door;
  token: string;
  event: string;
}

const customers: Customer[] = [];

test.beforeAll(async ({ servers }, info) => {
  const server = await servers.of(info.file);
  for (const [name, type, secret] of [
    ["Acme Outdoor", "Tents sold", "acme-secret"],
    ["Northwind", "Ships sailed", "northwind-secret"],
  ]) {
    const door = await server.addDoor(name, type);
    const token = server.addToken(door.tenant, `${secret}-token`);
    const email = `${secret}@example.com`;
    server.addUser(email, "customer", PASSWORD, door.tenant);
    const { body } = await server.send(door, { secret });
    customers.push({ name, type, secret, email, door, token: token.id, event: eventOf(body.receiptId, 1) });
  }
});

async function expectNothingOf(page: Page, other: Customer): Promise<void> {
  const text = (await page.content()) + page.url();
  for (const theirs of [other.name, other.type, other.secret, other.door.tenant, other.door.eventType, other.email]) {
    expect(text, page.url()).not.toContain(theirs);
  }
}

test("each sees the own tenant, and the other's addresses are not there", async ({ visit }) => {
  for (const [own, other] of [customers, [...customers].reverse()]) {
    const page = await visit({ as: own.email });
    await expect(page).toHaveURL(`/tenants/${own.door.tenant}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(own.name);
    await expectNothingOf(page, other);
    for (const path of ["/", "/tenants", "/account", `/tenants/${own.door.tenant}`]) {
      await page.goto(path);
      await expectNothingOf(page, other);
    }
    // what one may go to from here is there
    const links = page.locator("header a, nav a, main a");
    await page.goto("/");
    const targets = await links.evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));
    for (const target of new Set(targets)) {
      expect((await page.request.get(target)).status(), `a link leads to ${target}`).toBe(200);
    }

    const foreign = `/tenants/${other.door.tenant}`;
    const ofType = `${foreign}/event-types/${other.door.eventType}`;
    for (const path of [
      foreign, `${foreign}/event-types`, ofType, `${ofType}/edit`, `${ofType}/disable`, `${ofType}/stream`,
      `${foreign}/tokens`, `${foreign}/tokens/new`, `${foreign}/tokens/${other.token}/revoke`, `${foreign}/events`,
      `${foreign}/events/${other.event}`, `${foreign}/live`, `${foreign}/stream`, `${foreign}/quarantine`,
      `${foreign}/settings`, `${foreign}/disable`,
    ]) {
      const answer = await page.request.get(path, { headers: { accept: "text/html" } });
      expect(answer.status(), path).toBe(404);
      expect(await answer.text(), path).not.toContain(other.name);
    }
    for (const path of [`${foreign}/disable`, `${ofType}/disable`, `${foreign}/tokens/${other.token}/revoke`, `${foreign}/settings`]) {
      const answer = await page.request.post(path, { form: { name: "Taken", typed_name: `${other.secret}-token` } });
      expect(answer.status(), path).toBe(404);
    }
  }
});

test("a consultant of both never mixes them", async ({ visit, server }) => {
  server.addUser("ada@example.com", "consultant", PASSWORD);
  const page = await visit({ as: "ada@example.com" });
  const [acme, northwind] = customers;
  for (const [own, other] of [[acme, northwind], [northwind, acme]]) {
    for (const place of ["events", "quarantine", "event-types", "tokens", "audit"]) {
      await page.goto(`/tenants/${own.door.tenant}/${place}?type=${other.door.eventType}`);
      for (const theirs of [other.type, `"${other.secret}"`]) await expect(inMain(page)).not.toContainText(theirs);
    }
    const mixed = [
      `/tenants/${own.door.tenant}/event-types/${other.door.eventType}`,
      `/tenants/${own.door.tenant}/event-types/${other.door.eventType}/edit`,
      `/tenants/${own.door.tenant}/tokens/${other.token}`,
      `/tenants/${own.door.tenant}/tokens/${other.token}/revoke`,
      `/tenants/${own.door.tenant}/events/${other.event}`,
    ];
    for (const path of mixed) expect((await page.goto(path))?.status(), path).toBe(404);
  }

  // two live tails side by side: each tells its own
  const tails = [];
  for (const { door } of customers) {
    const tail = await visit({ as: "ada@example.com" });
    await tail.goto(`/tenants/${door.tenant}/live`);
    await expect(tail.getByText("Connected", { exact: true })).toBeVisible();
    tails.push(tail);
  }
  for (const { door, secret } of customers) await server.send(door, { live: secret });
  for (const [n, tail] of tails.entries()) {
    await expect(tail.getByRole("listitem").filter({ hasText: "live" }).last()).toContainText(customers[n].secret);
    await expect(tail.getByRole("main")).not.toContainText(customers[1 - n].secret);
  }
});
