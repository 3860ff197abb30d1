// The request body: a JSON editor, a form, or a file, as the media type asks.

import { fill, h } from "./dom.js";
import { exampleOf } from "./example.js";
import { prettyText } from "./json-text.js";
import { isJson, isText, quote } from "./request.js";
import { view } from "./schema.js";
import { contentOf, resolveRef } from "./spec.js";

/**
 * @typedef {import("./spec.js").Spec} Spec
 * @typedef {{headers: [string, string][], body: any, curlBody: string[]}} Sent
 * @typedef {{element: HTMLElement, content: () => Sent}} Editor
 */

/** @type {Sent} */
const NOTHING = { headers: [], body: undefined, curlBody: [] };

/**
 * @param {Spec} spec
 * @param {import("./spec.js").Operation} operation
 * @returns {Editor | null}
 */
export function bodyEditor(spec, operation) {
  const content = contentOf(spec, resolveRef(spec.doc, operation.raw.requestBody)?.content);
  if (content.length === 0) return null;
  /** @type {Editor} */
  let editor = editorFor(spec, operation, content[0]);
  const slot = h("div", {}, editor.element);
  const choice = content.length === 1 ? h("span", { class: "place", text: content[0].mediaType }) : h("select", {
    "aria-label": "Media type",
    onchange: (event) => {
      editor = editorFor(spec, operation, content[event.target.selectedIndex]);
      fill(slot, editor.element);
    },
  }, content.map(({ mediaType }) => h("option", { text: mediaType })));
  return {
    element: h("div", { class: "try-body" }, h("div", { class: "try-body-head" }, h("h3", { id: "body-label", text: "Body" }), choice), slot),
    content: () => editor.content(),
  };
}

/** @returns {Editor} */
function editorFor(spec, operation, media) {
  if (isJson(media.mediaType)) return bodyJsonEditor(spec, operation, media);
  if (media.mediaType === "multipart/form-data" || media.mediaType === "application/x-www-form-urlencoded") return formEditor(spec, media);
  return isText(media.mediaType) ? textEditor(media) : fileEditor(media);
}

/** @returns {Editor} */
function bodyJsonEditor(spec, operation, { mediaType, schema, examples }) {
  const patch = operation.method === "PATCH" && examples.length === 0;
  return jsonEditor(examples[0]?.value ?? exampleOf(spec.doc, schema, { request: true, patch }), examples, mediaType);
}

/**
 * @param {any} first what it holds at first
 * @param {{name: string, value: any}[]} examples to choose from
 * @param {string} mediaType
 * @returns {Editor}
 */
export function jsonEditor(first, examples, mediaType) {
  const initial = JSON.stringify(first, null, 2) ?? "";
  const message = h("p", { class: "failure", role: "status" });
  const area = h("textarea", { class: "editor", "aria-labelledby": "body-label", spellcheck: "false", autocomplete: "off", value: initial });
  const size = () => (area.rows = Math.min(Math.max(area.value.split("\n").length, 3), 22));
  area.addEventListener("input", () => {
    size();
    fill(message, complaint(area.value));
  });
  size();
  const replace = (text) => {
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const tools = h("div", { class: "editor-tools" },
    h("button", { type: "button", class: "ghost small", onclick: () => replace(prettyText(area.value)) }, "Format"),
    h("button", { type: "button", class: "ghost small", onclick: () => replace(initial) }, "Reset"),
    examples.length > 1 && h("select", {
      "aria-label": "Example",
      onchange: (event) => replace(JSON.stringify(examples[event.target.selectedIndex].value, null, 2)),
    }, examples.map(({ name }) => h("option", { text: name }))));
  return { element: h("div", { class: "editor-box" }, area, tools, message), content: () => textContent(mediaType, area.value) };
}

/** Invalid JSON may be sent all the same: the server's answer is worth seeing. */
function complaint(text) {
  if (text.trim() === "") return "";
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return `Not valid JSON: ${error.message}`;
  }
}

/** @returns {Editor} */
function textEditor({ mediaType, examples }) {
  const area = h("textarea", { class: "editor", rows: "6", "aria-labelledby": "body-label", spellcheck: "false", value: String(examples[0]?.value ?? "") });
  return { element: h("div", { class: "editor-box" }, area), content: () => textContent(mediaType, area.value) };
}

/** @returns {Sent} */
function textContent(mediaType, text) {
  if (text.trim() === "") return NOTHING;
  return { headers: [["Content-Type", mediaType]], body: text, curlBody: [`--data-raw ${quote(text)}`] };
}

/** @returns {Editor} */
function fileEditor({ mediaType }) {
  const input = h("input", { type: "file", "aria-labelledby": "body-label" });
  /** @returns {Sent} */
  const content = () => {
    const file = input.files[0];
    if (!file) return NOTHING;
    return { headers: [["Content-Type", file.type || mediaType]], body: file, curlBody: [`--data-binary ${quote(`@${file.name}`)}`] };
  };
  return { element: input, content };
}

/** @returns {Editor} */
function formEditor(spec, { mediaType, schema }) {
  const { schema: object } = view(spec.doc, schema);
  const inputs = Object.entries(object.properties ?? {}).map(([name, raw]) => {
    const property = view(spec.doc, raw);
    const isFile = property.schema.format === "binary" || property.schema.contentMediaType !== undefined;
    const control = h("input", { id: `form-${name}`, type: isFile ? "file" : "text", class: isFile ? null : "mono" });
    return { name, control, isFile };
  });
  const required = new Set(object.required ?? []);
  const element = h("div", { class: "try-fields" }, inputs.map(({ name, control }) => h("div", { class: "form-field" },
    h("label", { for: control.id }, h("code", { text: name }), required.has(name) && h("span", { class: "required", text: "required" })), control)));
  return { element, content: () => (mediaType === "multipart/form-data" ? multipart(inputs) : urlencoded(inputs)) };
}

/** The browser writes the `Content-Type`, since it chooses the boundary. @returns {Sent} */
function multipart(inputs) {
  const form = new FormData();
  const curlBody = [];
  for (const { name, control, isFile } of inputs) {
    const file = isFile ? control.files[0] : null;
    if (isFile && !file) continue;
    if (!isFile && control.value === "") continue;
    form.append(name, file ?? control.value);
    curlBody.push(`-F ${quote(`${name}=${file ? `@${file.name}` : control.value}`)}`);
  }
  return { headers: [], body: form, curlBody };
}

/** @returns {Sent} */
function urlencoded(inputs) {
  const filled = inputs.filter(({ control }) => control.value !== "").map(({ name, control }) => [name, control.value]);
  return textContent("application/x-www-form-urlencoded", new URLSearchParams(filled).toString());
}
