// How the journeys run: Debian's Chromium, two files at a time, no second try.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  outputDir: "../target/end2end",
  workers: 2,
  retries: 0,
  timeout: 30_000,
  expect: { timeout: 5_000 },
  forbidOnly: true,
  // ends with how many have passed
  reporter: "list",
  use: {
    browserName: "chromium",
    screenshot: "only-on-failure",
    locale: "en-GB",
    actionTimeout: 10_000,
    navigationTimeout: 10_000,
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
