// The first view: what this API is, and every operation on one page.

import { h } from "./dom.js";
import { markdown } from "./markdown.js";
import { methodTag, pathText } from "./parts.js";
import { operationHref, schemaHref, socketHref } from "./router.js";
import { accessOf, scopesOf } from "./security.js";

/** @typedef {import("./spec.js").Spec} Spec */

/** @param {Spec} spec */
export function overviewPage(spec) {
  const element = h("article", { class: "page overview" },
    h("header", { class: "page-head" },
      h("h1", {}, spec.title, spec.version && h("span", { class: "version", text: spec.version })),
      h("p", { class: "facts" },
        h("span", { text: `${spec.operations.length} operations` }),
        h("span", {}, h("a", { href: documentUrl() }, "OpenAPI document")),
        contact(spec)),
      markdown(spec.description)),
    spec.tags.map((tag) => tagSection(spec, tag)),
    sockets(spec),
    schemas(spec));
  return { element, title: spec.title, current: "#/" };
}

function documentUrl() {
  return document.querySelector('meta[name="doyen-openapi"]')?.getAttribute("content") || "/openapi.json";
}

/** @param {Spec} spec */
function contact(spec) {
  const { email, name } = spec.doc.info?.contact ?? {};
  return email ? h("span", {}, h("a", { href: `mailto:${email}` }, name ?? email)) : null;
}

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Tag} tag
 */
function tagSection(spec, tag) {
  return h("section", { class: "section tag-section" },
    h("h2", { text: tag.name }),
    markdown(tag.description),
    h("ul", { class: "operations" }, tag.operations.map((operation) => operationRow(spec, operation))));
}

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Operation} operation
 */
function operationRow(spec, operation) {
  const access = accessOf(spec, operation);
  const note = operation.deprecated ? "deprecated" : access.public ? "public" : scopesOf(access).join(" ");
  return h("li", {},
    h("a", { class: "operation-row", href: operationHref(operation) },
      methodTag(operation.method),
      pathText(operation.path),
      h("span", { class: "operation-summary", text: operation.summary }),
      h("span", { class: "operation-note", text: note })));
}

/** @param {Spec} spec */
function sockets(spec) {
  if (spec.sockets.list.length === 0) return null;
  return h("section", { class: "section tag-section" },
    h("h2", { text: "Sockets" }),
    h("ul", { class: "operations" }, spec.sockets.list.map((socket) => h("li", {},
      h("a", { class: "operation-row", href: socketHref(socket) },
        methodTag("WS"),
        pathText(socket.path),
        h("span", { class: "operation-summary", text: socket.title }),
        h("span", { class: "operation-note", text: socket.protocol }))))));
}

/** @param {Spec} spec */
function schemas(spec) {
  if (spec.schemaNames.length === 0) return null;
  return h("section", { class: "section" },
    h("h2", { text: "Schemas" }),
    h("ul", { class: "schema-names" }, spec.schemaNames.map((name) => h("li", {}, h("a", { href: schemaHref(name), text: name })))));
}
