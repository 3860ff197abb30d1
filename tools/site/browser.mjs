// Opens every page of the documentation site in a real browser.
//
//   SITE=<folder> CHROMIUM=/usr/bin/chromium node browser.mjs
//
// The site is served from its folder below a path, as a static host does. A page fails if it has a
// console error, a failed request, or a request to another host. Exits with 1 and says which step
// failed.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join, relative } from "node:path";

const require = createRequire(new URL("../package.json", import.meta.url));
const { chromium } = require("playwright-core");

const site = process.env.SITE;
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const PREFIX = "/manual/";
const THEMES = ["light", "rust", "coal", "navy", "ayu"];
/** The least contrast of text in the guidelines WCAG 2, level AA. */
const CONTRAST = 4.5;
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};
const ARGUMENTS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** What went wrong behind the steps. @type {string[]} */
const complaints = [];

const server = createServer(async (request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://site").pathname);
  try {
    assert.ok(path.startsWith(PREFIX) && !path.includes(".."));
    const file = path.slice(PREFIX.length) || "index.html";
    const body = await readFile(join(site, file));
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${server.address().port}`;
const base = `${origin}${PREFIX}`;

/** The pages. `toc.html` is the list of contents in a frame, for browsers without scripts. */
const files = await readdir(site, { recursive: true, withFileTypes: true });
const pages = files
  .filter((file) => file.isFile() && file.name.endsWith(".html") && file.name !== "toc.html")
  .map((file) => relative(site, join(file.parentPath ?? file.path, file.name)))
  .sort();

const steps = {
  async "search finds the page of a word"(page) {
    await page.goto(base);
    await page.locator("#mdbook-search-toggle").click();
    await page.locator("#mdbook-searchbar").pressSequentially("idempotency");
    const found = page.locator("#mdbook-searchresults a");
    await found.first().waitFor();
    const targets = await found.evaluateAll((links) => links.map((link) => new URL(link.href).pathname));
    assert.ok(targets.some((path) => path.endsWith("docs/guide/idempotency.html")), targets.join("\n"));
    await found.first().click();
    await page.waitForURL(/highlight=idempotency/);
    await page.locator("main mark").first().waitFor();
  },

  async "search finds nothing for a word that is nowhere"(page) {
    await page.goto(base);
    await page.locator("#mdbook-search-toggle").click();
    await page.locator("#mdbook-searchbar").pressSequentially("zyzzyvaquux");
    await page.locator("#mdbook-searchresults-header", { hasText: "No search results" }).waitFor();
  },

  async "the theme is switched, and kept on the next page"(page) {
    for (const theme of THEMES) {
      await page.goto(`${base}docs/guide/index.html`);
      await choose(page, theme);
      await page.goto(`${base}docs/guide/first-steps.html`);
      assert.ok(await hasTheme(page, theme), theme);
    }
  },

  async "a browser that prefers dark pages gets one"(page) {
    await page.evaluate(() => localStorage.clear());
    await page.emulateMedia({ colorScheme: "dark" });
    await page.reload();
    assert.ok(await hasTheme(page, "navy"));
    await page.emulateMedia({ colorScheme: "light" });
    await page.reload();
    assert.ok(await hasTheme(page, "light"));
  },

  async "code is readable in every theme"(page) {
    const faint = new Set();
    for (const path of ["docs/guide/settings", "docs/guide/templates", "docs/guide/own-project", "docs/guide/migrations", "docs/guide/errors"]) {
      await page.goto(`${base}${path}.html`);
      for (const theme of THEMES) {
        await choose(page, theme);
        for (const { name, ratio } of await contrasts(page)) {
          if (ratio < CONTRAST) faint.add(`${theme}: ${name} ${ratio.toFixed(2)}`);
        }
      }
    }
    assert.deepEqual([...faint].sort(), []);
  },

  async "Rust code is highlighted and complete"(page) {
    await page.goto(`${base}docs/guide/first-steps.html`);
    const code = page.locator("main pre code.language-rs").first();
    assert.ok((await code.locator("span.hljs-keyword").count()) > 0);
    assert.equal(await page.locator(".boring").count(), 0, "no line is hidden");
  },

  async "a narrow screen does not scroll sideways"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const path of ["", "docs/guide/own-project.html", "docs/reference/settings.html"]) {
      await page.goto(base + path);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${path}: ${overflow} pixels too wide`);
    }
  },

  async "every page opens, has its heading, and is current in the contents"(page) {
    assert.ok(pages.length > 100, `${pages.length} pages`);
    for (const path of pages) {
      const response = await page.goto(base + path, { waitUntil: "load" });
      assert.equal(response.status(), 200, path);
      const heading = await page.locator("main h1").first().textContent();
      assert.notEqual(heading.trim(), "", path);
      assert.equal(await page.locator("#mdbook-sidebar a.active").count(), 1, `${path} is not in the contents`);
      assert.deepEqual(complaints.splice(0), [], path);
    }
  },
};

async function choose(page, theme) {
  // The list stays open after a choice.
  const entry = page.locator(`#mdbook-theme-${theme}`);
  if (!(await entry.isVisible())) await page.locator("#mdbook-theme-toggle").click();
  await entry.click();
  assert.ok(await hasTheme(page, theme), theme);
}

function hasTheme(page, theme) {
  return page.evaluate((name) => document.documentElement.classList.contains(name), theme);
}

/** The contrast of each kind of token in the blocks of a page with the background of the block. */
function contrasts(page) {
  return page.evaluate(() => {
    const channels = (color) => color.match(/[\d.]+/g).map(Number);
    const luminance = (color) => {
      const [red, green, blue] = channels(color).map((value) => {
        const part = value / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const kinds = new Map();
    for (const block of document.querySelectorAll("main pre > code")) {
      const background = luminance(getComputedStyle(block).backgroundColor);
      for (const token of [block, ...block.querySelectorAll("span")]) {
        const text = luminance(getComputedStyle(token).color);
        const ratio = (Math.max(text, background) + 0.05) / (Math.min(text, background) + 0.05);
        const name = token === block ? "text" : token.className;
        kinds.set(name, Math.min(ratio, kinds.get(name) ?? Infinity));
      }
    }
    return [...kinds].map(([name, ratio]) => ({ name, ratio }));
  });
}

function watch(page) {
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`script: ${error.message}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith("data:")) complaints.push(`outside: ${url}`);
  });
}

const profile = await mkdtemp(join(tmpdir(), "doyen-site-"));
const browser = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: ARGUMENTS, viewport: { width: 1360, height: 860 } });
let failed = 0;
try {
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.setDefaultTimeout(15_000);
  watch(page);
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step(page);
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
  await rm(profile, { recursive: true, force: true });
  server.close();
  server.closeAllConnections();
}
process.exitCode = failed > 0 ? 1 : 0;
