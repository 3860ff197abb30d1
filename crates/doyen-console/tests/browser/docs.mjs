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

  async "a stream opens, shows a change as it happens, and closes by key"(page) {
    ticket = new URLSearchParams(new URL(page.url()).hash.split("?")[1]).get("path.id");
    await page.locator('.nav-list a[title="GET /v1/tickets/{id}/events"]').click();
    await page.locator("#try-path-id").fill(ticket);
    const button = page.locator(".try .send");
    assert.equal(await button.textContent(), "Open");
    await button.click();
    await page.locator(".answer-head .status", { hasText: "200" }).waitFor();
    await comment(page, "for the stream");
    const message = received(page, /^ticket\.commented/);
    await message.waitFor();
    assert.match(await message.locator(".code").textContent(), /for the stream/);
    assert.equal(await button.textContent(), "Close");
    await button.focus();
    await page.keyboard.press("Enter");
    await page.locator(".message", { hasText: "Closed" }).waitFor();
    assert.equal(await button.textContent(), "Open");
  },

  async "a socket opens with a connection token and has messages in both directions"(page) {
    const opened = page.waitForEvent("websocket");
    await page.locator('.nav-list a[title="WS /v1/socket"]').click();
    const button = page.locator(".try .send");
    await button.click();
    const address = (await opened).url();
    assert.match(address, /\/v1\/socket\?token=/);
    assert.doesNotMatch(address, /eyJ/, "no access token in an address");
    await page.locator(".message", { hasText: "Open" }).waitFor();
    const editor = page.locator(".try textarea");
    const example = JSON.parse(await editor.inputValue());
    assert.equal(example.type, "subscribe", "an example is filled in");
    await editor.fill(JSON.stringify({ ...example, topic: `ticket:${ticket}` }));
    await page.keyboard.press("Control+Enter");
    await page.locator('.message[data-direction="out"]', { hasText: "subscribe" }).waitFor();
    await received(page, /^subscribed/).waitFor();
    await comment(page, "for the socket");
    const event = received(page, /^event ticket\.commented/);
    await event.waitFor();
    assert.match(await event.locator(".code").textContent(), /for the socket/);
    await page.getByLabel("Example").selectOption("ping");
    await page.getByRole("button", { name: "Send message" }).click();
    await received(page, /^pong/).waitFor();
    await button.click();
    await page.locator(".message", { hasText: "Closed: 1000" }).waitFor();
    assert.ok(await page.getByRole("button", { name: "Send message" }).isDisabled());
  },

  async "a socket is closed when the page shows another view"(page) {
    const opened = page.waitForEvent("websocket");
    await page.locator(".try .send").click();
    const socket = await opened;
    await received(page, /^Open$/, "note").last().waitFor();
    const closed = socket.isClosed() ? undefined : socket.waitForEvent("close");
    await page.locator(".nav-home").click();
    await closed;
  },

  async "the list of messages is bounded"(page) {
    const shown = await page.evaluate(async () => {
      const { messageLog, MOST_MESSAGES } = await import("/docs/assets/message-log.js");
      const log = messageLog({ operations: [], base: "" }, "Messages");
      for (let at = 1; at <= MOST_MESSAGES + 50; at += 1) log.add({ direction: "in", title: `m${at}`, text: "{}" });
      const titles = [...log.element.querySelectorAll(".message-title")].map((one) => one.textContent);
      return { most: MOST_MESSAGES, count: titles.length, first: titles[0], last: titles.at(-1), words: log.element.textContent };
    });
    assert.deepEqual([shown.count, shown.first, shown.last], [shown.most, "m51", `m${shown.most + 50}`]);
    assert.match(shown.words, /250, the last 200 are shown/);
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
    await page.locator("#policies tr", { hasText: "POST /v1/auth/login" }).locator("td", { hasText: "anyone" }).waitFor();
    await page.locator("#settings tr", { hasText: "admin.bind" }).locator("td", { hasText: "APP_ADMIN__BIND" }).waitFor();
    assert.match(await page.locator("h1").textContent(), /^helpdesk /);
    const requests = () => page.locator("#routes tr", { hasText: "GET /livez" }).locator("td").nth(1);
    await page.request.get(`${base}/livez`);
    await requests().waitFor();
    const before = Number(await requests().textContent());
    await page.request.get(`${base}/livez`);
    while (Number(await requests().textContent()) <= before) await page.waitForTimeout(100);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  },

  async "the console shows the cache and evicts"(page) {
    await page.goto(`${admin}/console`);
    await page.locator("#caches dt", { hasText: "Memory" }).waitFor();
    const evict = page.getByRole("button", { name: "Evict" });
    await page.getByLabel("Tag or key").fill("tickets");
    await evict.click();
    await page.locator("#evicted .good").waitFor();
    // An empty tag is refused, and the console shows why.
    await page.getByLabel("Tag or key").fill("");
    refusals += 1;
    await evict.click();
    await page.locator("#evicted .bad").waitFor();
    await page.getByLabel("Evict").selectOption("all");
    assert.equal(await page.getByLabel("Tag or key").isDisabled(), true);
    await evict.click();
    await page.locator("#evicted .good").waitFor();
  },

  async "the console shows the circuit breakers, and changes one"(page) {
    // The demo calls no other service, so the answers are those of another application.
    const breaker = {
      client: "rates", host: "rates.example.com:443", state: "closed", since: "2026-01-01T00:00:00Z",
      tries: 20, failures: 3, window: 20, failure_percent: 50, pause_seconds: 30,
    };
    const sent = [];
    await page.route(`${admin}/breakers`, async (route) => {
      const request = route.request();
      if (request.method() === "PUT") {
        sent.push(request.postDataJSON());
        breaker.state = sent.at(-1).state;
        return route.fulfill({ json: breaker });
      }
      return route.fulfill({ json: { breakers: [breaker] } });
    });
    await page.goto(`${admin}/console`);
    const row = page.locator("#breakers tr", { hasText: "rates.example.com:443" });
    await row.locator(".good", { hasText: "closed" }).waitFor();
    await row.getByRole("button", { name: "Force open" }).click();
    await row.locator(".bad", { hasText: "forced open" }).waitFor();
    await row.getByRole("button", { name: "Close" }).click();
    await row.locator(".good", { hasText: "closed" }).waitFor();
    const names = { client: "rates", host: "rates.example.com:443" };
    assert.deepEqual(sent, [{ ...names, state: "forced_open" }, { ...names, state: "closed" }]);
    await page.unroute(`${admin}/breakers`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  },

  async "the console shows a request as a waterfall, from the link of its response"(page) {
    const refused = await page.request.post(`${base}/v1/auth/login`, {
      data: { email: "ghost@example.com", password: "<b>not it</b>" },
    });
    assert.equal(refused.status(), 401);
    const link = refused.headers()["x-debug-token-link"];
    assert.ok(link.startsWith(`${admin}/console#request=`), link);
    await page.goto(link);
    const shown = page.locator("#request");
    await shown.locator("h3", { hasText: "POST /v1/auth/login" }).waitFor();
    await shown.locator("dd", { hasText: "401" }).waitFor();
    const statement = shown.locator("tr", { hasText: "SELECT" }).first();
    await statement.locator("code", { hasText: "ghost@example.com" }).waitFor();
    assert.ok((await statement.locator(".bar.statement").boundingBox()).width > 0);
    await statement.getByText("Plan", { exact: true }).click();
    await statement.locator("pre", { hasText: "users" }).waitFor();
    await shown.locator("tr", { hasText: "handler" }).first().waitFor();
    await shown.locator("tr", { hasText: "login.failed" }).locator("td", { hasText: /^info$/ }).waitFor();
    // A new request comes by itself, and can be selected.
    await page.request.get(`${base}/readyz`);
    await page.locator("#requests tr", { hasText: "GET /readyz" }).first().getByRole("link").click();
    await shown.locator("h3", { hasText: "GET /readyz" }).waitFor();
    // A request that is no longer kept is a sentence.
    await page.evaluate(() => (location.hash = "#request=unknown"));
    await shown.getByText("no longer kept, or not ended yet").waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  },
};

/** The ticket that "Try it" has opened. */
let ticket = "";

/** Comments on the ticket as the customer, as another client would. */
async function comment(page, body) {
  const status = await page.evaluate(async ([path, text]) => {
    const { token } = JSON.parse(sessionStorage.getItem("doyen-docs-identity"));
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const response = await fetch(path, { method: "POST", headers, body: JSON.stringify({ body: text }) });
    return response.status;
  }, [`/v1/tickets/${ticket}/comments`, body]);
  assert.equal(status, 201);
}

/** A message in the list whose title matches. */
function received(page, title, direction = "in") {
  const titled = page.locator(".message-title", { hasText: title });
  return page.locator(`.message[data-direction="${direction}"]`).filter({ has: titled });
}

async function openDialog(page) {
  await page.locator(".auth-bar button").first().click();
  await page.locator("dialog[open]").waitFor();
}

/** How many refused requests are wanted. The browser reports each as an error. */
let refusals = 0;

function watch(page) {
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    if (refusals > 0 && /status of 4(01|22)/.test(message.text())) refusals -= 1;
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
