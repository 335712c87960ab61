// How pictures are taken: like the journeys, but only them.
import { defineConfig } from "@playwright/test";
import journeys from "./playwright.config";

export default defineConfig({ ...journeys, testMatch: ["pictures.ts", "pictures-demo.ts"] });
