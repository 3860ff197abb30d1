// Drives the demo page of a running helpdesk in two windows of a real browser.
//
//   BASE_URL=http://127.0.0.1:8000 CHROMIUM=/usr/bin/chromium node demo.mjs
//
// A customer and an agent log in, each in a window with storage of its own. Each must see what the
// other does without a reload: a new ticket, who watches, who types, comments. After a lost
// connection nothing is missed and nothing is shown twice. No request goes to another host.
// Exits with 1 and says which step failed.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../../tools/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const base = (process.env.BASE_URL ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const SUBJECT = `Opened in a window ${Date.now()}`;

/** What went wrong behind the steps. @type {string[]} */
const complaints = [];

async function logIn(page, email) {
  const response = await page.goto(`${base}/demo`);
  assert.equal(response.status(), 200);
  const policy = response.headers()["content-security-policy"] ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe/);
  await page.selectOption("#user", email);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator("#state", { hasText: /^Connected/ }).waitFor();
}

async function comment(page, text) {
  await page.locator("#body").fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

/** The comments of a window, once the last one is this. */
async function comments(page, last) {
  await page.locator("#comments li", { hasText: last }).waitFor();
  const lines = await page.locator("#comments li").allTextContents();
  return lines.map((line) => line.replace(/^.*: /, ""));
}

const steps = {
  async "a customer and an agent log in under the content security policy"(customer, agent) {
    await logIn(customer, "customer@example.com");
    await logIn(agent, "agent@example.com");
  },

  async "a ticket of the customer appears in the window of the agent"(customer, agent) {
    await customer.locator("#subject").fill(SUBJECT);
    await customer.getByRole("button", { name: "Create", exact: true }).click();
    await customer.locator("#title", { hasText: SUBJECT }).waitFor();
    await agent.locator("#tickets button", { hasText: SUBJECT }).click();
    await agent.locator("#title", { hasText: SUBJECT }).waitFor();
  },

  async "both see that two users watch"(customer, agent) {
    await agent.locator("#present", { hasText: "Watching now: 2" }).waitFor();
    await customer.locator("#present", { hasText: "Watching now: 2" }).waitFor();
  },

  async "the customer sees that the agent types"(customer, agent) {
    await agent.locator("#body").pressSequentially("We ");
    await customer.locator("#typing", { hasText: "is typing" }).waitFor();
  },

  async "comments appear in both windows, once and in order"(customer, agent) {
    await comment(agent, "first, of the agent");
    await customer.locator("#comments li", { hasText: "first" }).waitFor();
    await comment(customer, "second, of the customer");
    const expected = ["first, of the agent", "second, of the customer"];
    assert.deepEqual(await comments(agent, "second"), expected);
    assert.deepEqual(await comments(customer, "second"), expected);
    await customer.locator("#title", { hasText: "(open)" }).waitFor();
  },

  async "a window that lost its connection misses nothing"(customer, agent) {
    // The socket is a variable of the page's script.
    await customer.evaluate("socket.close()");
    await customer.locator("#state", { hasText: "Disconnected" }).waitFor();
    await comment(agent, "third, unseen at first");
    assert.deepEqual((await comments(customer, "third")).length, 3);
    await comment(agent, "fourth, over the new connection");
    assert.deepEqual((await comments(customer, "fourth")).length, 4);
  },

  async "presence ends with a closed window"(customer, agent) {
    await agent.close();
    await customer.locator("#present", { hasText: "Watching now: 1" }).waitFor();
  },
};

function watch(page) {
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${base}/`)) complaints.push(`outside: ${request.url()}`);
  });
}

const browser = await chromium.launch({ executablePath, headless: true, args: ARGUMENTS });
let failed = 0;
try {
  const windows = [];
  for (let count = 0; count < 2; count += 1) {
    windows.push(await (await browser.newContext()).newPage());
  }
  windows.forEach(watch);
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step(...windows);
      assert.deepEqual(complaints.splice(0), []);
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.error(`FAILED  ${name}\n${error.stack ?? error}`);
      break;
    }
  }
} finally {
  await browser.close();
}
process.exitCode = failed > 0 ? 1 : 0;
