// Drives the documentation page and the console of a running application in a real browser.
//
//   BASE_URL=http://127.0.0.1:8000 ADMIN_URL=http://127.0.0.1:9000 CHROMIUM=/usr/bin/chromium node docs.mjs
//
// The application must be the helpdesk with its demo users. The page must load
// without a console error and without a request to another host, log in, open
// a ticket through "Try it", and follow a link in the answer.
// Exits with 1 and says which step failed. SCREENSHOTS=<folder> keeps pictures.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(new URL("../../../../tools/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const base = (process.env.BASE_URL ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
const admin = (process.env.ADMIN_URL ?? "http://127.0.0.1:9000").replace(/\/+$/, "");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const EMAIL = "customer@example.com";
const PASSWORD = "correct horse battery staple";
const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** What went wrong behind the steps. @type {string[]} */
const complaints = [];

const steps = {
  async "the page loads under its content security policy"(page) {
    const response = await page.goto(`${base}/docs`);
    assert.equal(response.status(), 200);
    const policy = response.headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    await page.locator("h1").waitFor();
    assert.ok((await page.locator(".operation-row").count()) > 10, "the overview lists the operations");
  },

  async "the filter is one key away and narrows the list"(page) {
    await page.keyboard.press("/");
    await page.keyboard.type("post /v1/tickets");
    const visible = page.locator(".nav-list a:visible");
    assert.match(await visible.first().getAttribute("title"), /^POST \/v1\/tickets/);
    assert.ok((await visible.count()) < (await page.locator(".nav-list a").count()));
    await page.keyboard.press("Escape");
  },

  async "a wrong password is refused in words"(page) {
    await openDialog(page);
    await page.getByLabel("E-mail").fill(EMAIL);
    await page.getByLabel("Password").fill("wrong");
    refusals += 1;
    await page.locator("dialog button.primary").click();
    await page.locator("dialog .failure:not(:empty)").waitFor();
  },

  async "the demo customer logs in"(page) {
    await page.getByLabel("Password").fill(PASSWORD);
    await page.locator("dialog button.primary").click();
    await page.locator(".identity-name", { hasText: EMAIL }).waitFor();
    // The name is drawn a moment before the dialog goes: wait for both, or fail.
    await page.locator("dialog").waitFor({ state: "detached" });
  },

  async "Try it opens a ticket"(page) {
    await page.locator('.nav-list a[title="POST /v1/tickets"]').click();
    await page.locator(".try h2").waitFor();
    await page.locator(".try textarea").fill(JSON.stringify({ subject: "Opened by the browser test", body: "It works." }));
    const newKey = page.getByRole("button", { name: "New key" });
    if (await newKey.count()) await newKey.click();
    await page.locator(".try .send").click();
    await page.locator(".answer-head").waitFor();
    assert.equal(await page.locator(".answer-head .status").textContent(), "201");
    const body = await page.locator(".answer .code").first().textContent();
    assert.equal(JSON.parse(body).subject, "Opened by the browser test");
  },

  async "the curl command names the request and hides the token"(page) {
    const command = await page.locator(".curl code").textContent();
    assert.match(command, /curl -X POST '.*\/v1\/tickets'/);
    assert.match(command, /Authorization: Bearer \S{1,8}…/);
  },

  async "a link in the answer opens the operation with its inputs"(page) {
    await page.locator(".answer .json-link").first().click();
    await page.waitForFunction(() => location.hash.includes("path."));
    await page.locator(".try .send").click();
    await page.locator(".answer-head").waitFor();
    assert.equal(await page.locator(".answer-head .status").textContent(), "200");
  },

  async "a reload keeps the login, logging out ends it"(page) {
    await page.reload();
    await page.locator(".identity-name", { hasText: EMAIL }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.locator(".auth-bar", { hasText: "Log in" }).waitFor();
    const stored = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
    assert.doesNotMatch(stored, /eyJ/, "the token is gone");
  },

  async "every operation and every schema can be drawn"(page) {
    const links = await page.locator(".nav-list a").evaluateAll((found) => found.map((link) => link.getAttribute("href")));
    for (const href of links) {
      await page.evaluate((hash) => (location.hash = hash), href);
      await page.waitForFunction((hash) => document.querySelector("a[aria-current]")?.getAttribute("href") === hash, href);
      const title = (await page.locator("h1").textContent()) ?? "";
      assert.notEqual(title.trim(), "", href);
    }
  },

  async "a narrow screen has a menu and no sideways scrolling"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole("button", { name: "Menu" }).click();
    assert.ok(await page.locator("#sidebar").isVisible());
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("#sidebar").isVisible(), false);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  },

  async "the console shows health, routes and plugins, and follows the requests"(page) {
    const response = await page.goto(`${admin}/console`);
    assert.doesNotMatch(response.headers()["content-security-policy"] ?? "unsafe", /unsafe/);
    await page.locator("#status .good", { hasText: "ok" }).waitFor();
    await page.locator("#health tr", { hasText: "database" }).waitFor();
    await page.locator("#plugins code", { hasText: /^admin$/ }).waitFor();
    assert.match(await page.locator("h1").textContent(), /^helpdesk /);
    const requests = () => page.locator("#routes tr", { hasText: "GET /livez" }).locator("td").nth(1);
    await page.request.get(`${base}/livez`);
    await requests().waitFor();
    const before = Number(await requests().textContent());
    await page.request.get(`${base}/livez`);
    const now = page.locator("#routes tr", { hasText: "GET /livez" }).locator("td", { hasText: `${before + 1}` });
    await now.first().waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  },
};

async function openDialog(page) {
  await page.locator(".auth-bar button").first().click();
  await page.locator("dialog[open]").waitFor();
}

/** How many refused requests are wanted. The browser reports each as an error. */
let refusals = 0;

function watch(page) {
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    if (refusals > 0 && /status of 401/.test(message.text())) refusals -= 1;
    else complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !url.startsWith(`${admin}/`) && !url.startsWith("data:")) complaints.push(`outside: ${url}`);
  });
}

async function picture(page, number) {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `docs-${number}.png`) });
}

const profile = await mkdtemp(join(tmpdir(), "doyen-docs-"));
const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: ARGUMENTS, viewport: { width: 1360, height: 860 } });
let failed = 0;
try {
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.setDefaultTimeout(15_000);
  watch(page);
  for (const [number, [name, step]] of Object.entries(steps).entries()) {
    try {
      await step(page);
      assert.deepEqual(complaints.splice(0), []);
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.error(`FAILED  ${name}\n${error.stack ?? error}`);
      break;
    } finally {
      await picture(page, number + 1);
    }
  }
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;
