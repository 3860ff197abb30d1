// The list of all operations and schemas, with the filter above it.

import { fill, h, icon } from "./dom.js";
import { methodTag } from "./parts.js";
import { operationHref, schemaHref, socketHref } from "./router.js";

/** @typedef {{link: HTMLElement, item: HTMLElement, group: HTMLElement, words: string}} Entry */

/**
 * @param {import("./spec.js").Spec} spec
 * @returns {{element: HTMLElement, mark: (href: string) => void}}
 */
export function sidebar(spec) {
  /** @type {Entry[]} */
  const entries = [];
  const groups = spec.tags.map((tag) => group(tag.name, tag.operations.map((operation) => operationEntry(operation)), entries));
  if (spec.sockets.list.length > 0) groups.push(group("Sockets", spec.sockets.list.map(socketEntry), entries));
  if (spec.schemaNames.length > 0) groups.push(group("Schemas", spec.schemaNames.map((name) => schemaEntry(name)), entries));
  const list = h("div", { class: "nav-list" }, groups);
  const empty = h("p", { class: "nav-empty", role: "status" });
  const input = searchBox();
  const element = h("nav", { id: "sidebar", class: "sidebar", "aria-label": "Operations" },
    h("div", { class: "search" }, icon("search"), input, h("kbd", { text: "/", "aria-hidden": "true" })),
    h("a", { class: "nav-link nav-home", href: "#/" }, "Overview"),
    list, empty);
  input.addEventListener("input", () => filter(entries, groups, input.value, element, empty));
  element.addEventListener("keydown", (event) => onKey(event, element, input));
  addEventListener("keydown", (event) => onSlash(event, input));
  return { element, mark: (href) => mark(element, href) };
}

function searchBox() {
  return h("input", { type: "search", placeholder: "Search", "aria-label": "Search operations and schemas", "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: "false" });
}

/**
 * @param {string} title
 * @param {{link: HTMLElement, words: string}[]} made
 * @param {Entry[]} entries receives them
 */
function group(title, made, entries) {
  const heading = h("h2", { class: "nav-title", text: title });
  const section = h("section", {}, heading);
  const list = h("ul", {});
  for (const { link, words } of made) {
    const item = h("li", {}, link);
    list.appendChild(item);
    entries.push({ link, item, group: section, words: `${words} ${title}`.toLowerCase() });
  }
  section.appendChild(list);
  return section;
}

/** @param {import("./spec.js").Operation} operation */
function operationEntry(operation) {
  const { method, path, summary, id, deprecated } = operation;
  const link = h("a", { class: "nav-link", href: operationHref(operation), title: `${method} ${path}` },
    methodTag(method),
    h("span", { class: "nav-text" },
      h("span", { class: deprecated ? "nav-summary struck" : "nav-summary", text: summary }),
      h("span", { class: "nav-path", text: path })));
  return { link, words: `${method} ${path} ${summary} ${id}` };
}

/** @param {import("./sockets.js").Socket} socket */
function socketEntry(socket) {
  const { path, title, id } = socket;
  const link = h("a", { class: "nav-link", href: socketHref(socket), title: `WS ${path}` },
    methodTag("WS"),
    h("span", { class: "nav-text" },
      h("span", { class: "nav-summary", text: title }),
      h("span", { class: "nav-path", text: path })));
  return { link, words: `ws websocket ${path} ${title} ${id}` };
}

/** @param {string} name */
function schemaEntry(name) {
  return { link: h("a", { class: "nav-link", href: schemaHref(name) }, h("span", { class: "nav-text", text: name })), words: name };
}

/**
 * Every word must occur. Matching paths are shown, since they may be the reason.
 *
 * @param {Entry[]} entries
 * @param {HTMLElement[]} groups
 * @param {string} text
 */
function filter(entries, groups, text, element, empty) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const filled = new Set();
  let count = 0;
  for (const entry of entries) {
    const fits = wanted.every((word) => entry.words.includes(word));
    entry.item.hidden = !fits;
    if (!fits) continue;
    count += 1;
    filled.add(entry.group);
  }
  for (const section of groups) section.hidden = !filled.has(section);
  element.classList.toggle("searching", wanted.length > 0);
  fill(empty, count === 0 ? `Nothing matches “${text.trim()}”.` : "");
}

/** Arrow keys walk through what is visible; Escape clears the filter. */
function onKey(event, element, input) {
  if (event.key === "Escape" && input.value !== "") {
    event.stopPropagation();
    input.value = "";
    input.dispatchEvent(new Event("input"));
    input.focus();
    return;
  }
  if (event.key === "Enter" && event.target === input) {
    element.querySelector(".nav-list li:not([hidden]) a")?.click();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const stops = [input, ...[...element.querySelectorAll(".nav-list a")].filter((link) => link.offsetParent !== null)];
  const next = stops[stops.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** `/` goes to the filter, unless the reader is typing. */
function onSlash(event, input) {
  const typing = event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  const menu = document.querySelector(".menu-button");
  if (input.offsetParent === null && menu instanceof HTMLElement) menu.click();
  input.focus();
  input.select();
}

/**
 * @param {HTMLElement} element
 * @param {string} href
 */
function mark(element, href) {
  for (const link of element.querySelectorAll("a[aria-current]")) link.removeAttribute("aria-current");
  const link = [...element.querySelectorAll("a")].find((candidate) => candidate.getAttribute("href") === href);
  if (!link) return;
  link.setAttribute("aria-current", "page");
  link.scrollIntoView({ block: "nearest" });
}
