// Shows a JSON text in colours. Addresses that an operation of this API
// answers become links that open it.

import { h } from "./dom.js";
import { prettyTokens } from "./json-text.js";
import { findTarget } from "./links.js";

/** Past this many characters colours cost more than they tell. */
const MOST = 200_000;

/**
 * @param {import("./spec.js").Spec} spec
 * @param {string} text
 * @param {string} [label] for screen readers
 * @returns {HTMLElement}
 */
export function jsonView(spec, text, label = "JSON") {
  const tokens = text.length > MOST ? null : prettyTokens(text);
  const code = h("code", {}, tokens ? tokens.map((token) => render(spec, token)) : text);
  return h("pre", { class: "code", tabindex: "0", role: "region", "aria-label": label }, code);
}

/**
 * @param {import("./spec.js").Spec} spec
 * @param {import("./json-text.js").Token} token
 */
function render(spec, token) {
  if (token.kind === "space" || token.kind === "mark") return token.text;
  const target = token.kind === "string" ? findTarget(spec, token.value ?? "") : null;
  if (target) return h("a", { class: "json-link", href: target.href, title: target.title, text: token.text });
  return h("span", { class: `json-${token.kind}`, text: token.text });
}
