// Takes the pictures that documents show: of the demo, on a server of its own.
import { takeAll } from "./camera";
import { demoHouse } from "./house-demo";
import { test } from "./journey";

test.setTimeout(300_000);

test("the demo", async ({ visit, server }) => takeAll(await demoHouse(server), visit));
