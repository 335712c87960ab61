// Takes a picture of every page; `make pictures` runs it. It is no test: who looks at the pictures judges.
import { takeAll } from "./camera";
import { bareHouse, emptyHouse, fullHouse } from "./house";
import { test } from "./journey";

test.setTimeout(1_800_000);

test("before there is an account", async ({ visit, server }) => takeAll(await emptyHouse(server), visit));
test("before there is anything", async ({ visit, server }) => takeAll(await bareHouse(server), visit));
test("once things have happened", async ({ visit, server }) => takeAll(await fullHouse(server), visit));
