// What an operation may answer: one fold for each status.

import { h, lazyDetails } from "./dom.js";
import { exampleOf } from "./example.js";
import { jsonView } from "./json-view.js";
import { inlineMarkdown, markdown } from "./markdown.js";
import { statusTag, tabs } from "./parts.js";
import { problemsOf } from "./problems.js";
import { isJson, STATUS_TEXT } from "./request.js";
import { facts, schemaTree, typeLink } from "./schema-tree.js";
import { view } from "./schema.js";
import { contentOf, resolveRef } from "./spec.js";

/** @typedef {import("./spec.js").Spec} Spec */

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Operation} operation
 */
export function responseList(spec, operation) {
  const responses = Object.entries(operation.raw.responses ?? {}).map(([status, raw]) => ({ status, response: resolveRef(spec.doc, raw) }));
  responses.sort((a, b) => a.status.localeCompare(b.status));
  const first = responses.find(({ status }) => status.startsWith("2")) ?? responses[0];
  return h("div", { class: "responses" }, responses.map((entry) => responseFold(spec, entry, entry === first)));
}

function responseFold(spec, { status, response }, open) {
  const problems = problemsOf(spec, response);
  const [title, ...rest] = String(response.description ?? "").split(/\n\s*\n/);
  const summary = [
    statusTag(status),
    h("span", { class: "response-title" }, title ? inlineMarkdown(title) : STATUS_TEXT[Number(status)] ?? ""),
    h("span", { class: "response-codes" }, problems.slice(0, 3).map(({ code }) => h("code", { text: code })), problems.length > 3 && ` +${problems.length - 3}`),
  ];
  const isPlain = rest.length === 0 && problems.length === 0 && !response.headers && !response.content;
  if (isPlain) return h("p", { class: "response" }, summary);
  return lazyDetails({ class: "response", open }, summary, () => h("div", { class: "response-body" },
    markdown(rest.join("\n\n")),
    problemList(problems),
    headerList(spec, response.headers),
    body(spec, response)));
}

function problemList(problems) {
  if (problems.length === 0) return null;
  return h("div", { class: "response-part" },
    h("h3", { text: "Problem codes" }),
    h("ul", { class: "problems" }, problems.map(({ code, title, href }) => h("li", {},
      h("a", { href, target: "_blank", rel: "noopener" }, h("code", { text: code })), title && h("span", { class: "muted" }, inlineMarkdown(title))))));
}

/**
 * @param {Spec} spec
 * @param {Record<string, any> | undefined} headers
 */
function headerList(spec, headers) {
  const rows = Object.entries(headers ?? {}).map(([name, raw]) => {
    const header = resolveRef(spec.doc, raw);
    const { schema } = view(spec.doc, header.schema);
    return h("li", { class: "field" },
      h("div", { class: "field-head" }, h("code", { class: "field-name", text: name }), typeLink(spec, header.schema)),
      markdown(header.description ?? schema.description),
      facts(header.example !== undefined ? { ...schema, examples: [header.example] } : schema));
  });
  return rows.length > 0 ? h("div", { class: "response-part" }, h("h3", { text: "Headers" }), h("ul", { class: "fields" }, rows)) : null;
}

/**
 * @param {Spec} spec
 * @param {any} response
 */
function body(spec, response) {
  const content = contentOf(spec, response.content);
  if (content.length === 0) return null;
  return h("div", { class: "response-part" }, content.map(({ mediaType, schema, examples }) => {
    const shown = shownExamples(spec, mediaType, schema, examples);
    const views = [{ label: "Schema", content: () => schemaTree(spec, schema) }];
    for (const { name, value } of shown) views.push({ label: name, content: () => jsonView(spec, textOf(value), name) });
    return h("div", { class: "media" }, h("p", { class: "media-type" }, h("code", { text: mediaType }), schema !== undefined && typeLink(spec, schema)), schema === undefined ? null : tabs(views, "Schema and examples"));
  }));
}

function shownExamples(spec, mediaType, schema, examples) {
  if (examples.length > 0 || !isJson(mediaType) || schema === undefined) return examples;
  return [{ name: "Example", value: exampleOf(spec.doc, schema) }];
}

function textOf(value) {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}
