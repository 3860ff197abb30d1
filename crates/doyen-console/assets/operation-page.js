// One operation: what it does on the left, "Try it" on the right.

import { h, icon } from "./dom.js";
import { markdown } from "./markdown.js";
import { methodTag, pathText, section, tabs } from "./parts.js";
import { responseList } from "./responses.js";
import { operationHref } from "./router.js";
import { facts, schemaTree, typeLink, values } from "./schema-tree.js";
import { view } from "./schema.js";
import { accessOf, scopesOf } from "./security.js";
import { contentOf, parametersOf, resolveRef } from "./spec.js";
import { tryIt } from "./try-it.js";

/** @typedef {import("./spec.js").Spec} Spec */

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Operation} operation
 * @param {URLSearchParams} prefill
 */
export function operationPage(spec, operation, prefill) {
  const element = h("article", { class: "page" },
    h("div", { class: "columns" },
      h("div", { class: "column-text" },
        head(spec, operation),
        parameters(spec, operation),
        requestBody(spec, operation),
        section("Responses", responseList(spec, operation))),
      h("aside", { class: "column-try", "aria-label": "Try it" }, tryIt(spec, operation, prefill))));
  return { element, title: operation.summary, current: operationHref(operation) };
}

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Operation} operation
 */
function head(spec, operation) {
  const docs = operation.raw.externalDocs;
  return h("header", { class: "page-head" },
    h("p", { class: "eyebrow", text: operation.tag }),
    h("h1", { text: operation.summary }),
    h("p", { class: "endpoint" }, methodTag(operation.method), pathText(spec.base + operation.path), jumpButton()),
    operation.deprecated && h("p", { class: "notice warn" }, h("strong", { text: "Deprecated. " }), "Do not use it in new code."),
    markdown(operation.description),
    docs?.url && h("p", {}, h("a", { href: docs.url, rel: "noopener noreferrer", target: "_blank", text: docs.description ?? "More" })),
    access(spec, operation));
}

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Operation} operation
 */
function access(spec, operation) {
  const found = accessOf(spec, operation);
  if (found.public) return h("p", { class: "access" }, "Public. No login needed.");
  const scopes = scopesOf(found);
  return h("p", { class: "access" },
    icon("lock"),
    found.optional ? "Login is optional." : scopes.length > 0 ? "Needs" : "Needs a login.",
    scopes.map((scope) => h("code", { class: "scope", text: scope })));
}

/** On a narrow screen the panel stands below all the text. */
function jumpButton() {
  const jump = () => {
    document.querySelector(".column-try")?.scrollIntoView();
    const first = document.querySelector(".try :is(input, select, textarea, .send)");
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  };
  return h("button", { type: "button", class: "small", onclick: jump }, "Try it");
}

const PLACES = { path: "Path parameters", query: "Query parameters", header: "Headers", cookie: "Cookies" };

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Operation} operation
 */
function parameters(spec, operation) {
  const all = parametersOf(spec, operation);
  return Object.entries(PLACES).map(([place, title]) => {
    const rows = all.filter((parameter) => parameter.in === place);
    return rows.length > 0 && section(title, h("ul", { class: "fields" }, rows.map((row) => parameterRow(spec, row))));
  });
}

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Parameter} parameter
 */
function parameterRow(spec, parameter) {
  const { schema } = view(spec.doc, parameter.schema);
  const shown = parameter.example !== undefined ? { ...schema, examples: [parameter.example] } : schema;
  const items = schema.items ? facts(view(spec.doc, schema.items).schema, "Each item: ") : null;
  return h("li", { class: "field" },
    h("div", { class: "field-head" },
      h("code", { class: parameter.deprecated ? "field-name struck" : "field-name", text: parameter.name }),
      typeLink(spec, parameter.schema),
      parameter.required && h("span", { class: "required", text: "required" }),
      parameter.deprecated && h("span", { class: "badge warn", text: "deprecated" })),
    markdown(parameter.description || schema.description),
    values(schema),
    facts(shown),
    items);
}

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Operation} operation
 */
function requestBody(spec, operation) {
  const body = resolveRef(spec.doc, operation.raw.requestBody);
  const content = contentOf(spec, body?.content);
  if (content.length === 0) return null;
  return section("Request body",
    markdown(body.description),
    tabs(content.map(({ mediaType, schema }) => ({
      label: mediaType,
      content: () => h("div", {}, h("p", { class: "media-type" }, h("code", { text: mediaType }), typeLink(spec, schema), body.required ? h("span", { class: "required", text: "required" }) : "optional"), schemaTree(spec, schema)),
    })), "Media type"));
}
