// Small parts that several views share.

import { h } from "./dom.js";

/** @param {string} method */
export function methodTag(method) {
  const short = method === "DELETE" ? "DEL" : method === "OPTIONS" ? "OPT" : method;
  return h("span", { class: "method", "data-method": method }, h("span", { "aria-hidden": "true", text: short }), h("span", { class: "off-screen", text: `${method} ` }));
}

/** The template with its parameters set apart. @param {string} path */
export function pathText(path) {
  const parts = path.split(/(\{[^}]+\})/).filter(Boolean);
  return h("code", { class: "path" }, parts.map((part) => (part.startsWith("{") ? h("span", { class: "path-parameter", text: part }) : part)));
}

/** @param {number | string} status */
export function statusTag(status) {
  return h("span", { class: "status", "data-family": String(status)[0], text: status });
}

/**
 * @param {string} title
 * @param {...any} content
 */
export function section(title, ...content) {
  return h("section", { class: "section" }, h("h2", { text: title }), content);
}

/**
 * A row of tabs. Arrow keys move between them.
 *
 * @param {{label: string, content: () => Node}[]} tabs
 * @param {string} label
 */
export function tabs(tabs, label) {
  if (tabs.length === 1) return tabs[0].content();
  const panel = h("div", { role: "tabpanel" });
  const buttons = tabs.map((tab, index) => h("button", { type: "button", role: "tab", class: "tab", onclick: () => select(index) }, tab.label));
  const select = (chosen) => {
    buttons.forEach((button, index) => {
      button.setAttribute("aria-selected", String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
    });
    panel.setAttribute("aria-label", tabs[chosen].label);
    panel.replaceChildren(tabs[chosen].content());
  };
  const onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(event.target) + step + buttons.length) % buttons.length;
    select(next);
    buttons[next].focus();
  };
  select(0);
  return h("div", { class: "tabs" }, h("div", { role: "tablist", class: "tablist", "aria-label": label, onkeydown }, buttons), panel);
}
