// The inputs for path, query and header parameters.

import { fill, h } from "./dom.js";
import { recallIdentifier, recallTag } from "./memory.js";
import { choices, view } from "./schema.js";

/**
 * @typedef {import("./spec.js").Parameter} Parameter
 * @typedef {{parameter: Parameter, control: any, row: HTMLElement, refresh?: (url: string) => void}} Field
 */

/** More optional inputs than this fold away. One alone is not worth a fold. */
const MOST_OPTIONAL = 4;

/**
 * @param {import("./spec.js").Spec} spec
 * @param {import("./spec.js").Operation} operation
 * @param {Parameter[]} parameters
 * @param {URLSearchParams} prefill
 */
export function parameterInputs(spec, operation, parameters, prefill) {
  const fields = parameters.map((parameter) => field(spec, parameter, initial(operation, parameter, prefill)));
  const required = fields.filter(({ parameter }) => parameter.required);
  const optional = fields.filter(({ parameter }) => !parameter.required);
  const rows = (list) => list.map(({ row }) => row);
  const shown = optional.length > MOST_OPTIONAL + 1 ? optional.slice(0, MOST_OPTIONAL) : optional;
  const folded = optional.slice(shown.length);
  const element = h("div", { class: "try-fields" },
    rows(required),
    rows(shown),
    folded.length > 0 && h("details", { class: "fold", open: folded.some(({ control }) => control.value !== "") },
      h("summary", { text: `${folded.length} more` }), h("div", { class: "try-fields" }, rows(folded))));
  return {
    element,
    values: () => fields.map(({ parameter, control }) => ({ parameter, value: control.value.trim() })),
    complete: () => complete(fields),
    refresh: (url) => fields.forEach((one) => one.refresh?.(url)),
  };
}

function initial(operation, parameter, prefill) {
  const given = prefill.get(`${parameter.in}.${parameter.name}`);
  if (given !== null) return given;
  return parameter.in === "path" ? recallIdentifier(operation.path, parameter.name) : "";
}

/**
 * @param {import("./spec.js").Spec} spec
 * @param {Parameter} parameter
 * @param {string} value
 * @returns {Field}
 */
function field(spec, parameter, value) {
  const id = `try-${parameter.in}-${parameter.name}`;
  const { schema, type } = view(spec.doc, parameter.schema);
  const control = makeControl(id, parameter, schema, type);
  control.value = value;
  control.addEventListener("input", () => control.removeAttribute("aria-invalid"));
  const helper = helperFor(parameter, control);
  const row = h("div", { class: "form-field" },
    h("label", { for: id }, h("code", { text: parameter.name }), parameter.required && h("span", { class: "required", text: "required" }), h("span", { class: "place", text: parameter.in })),
    helper ? h("div", { class: "input-row" }, control, helper.element) : control);
  return { parameter, control, row, refresh: helper?.refresh };
}

function makeControl(id, parameter, schema, type) {
  const allowed = type === "boolean" ? [true, false] : type === "array" ? null : choices(schema);
  if (allowed) return h("select", { id }, h("option", { value: "", text: parameter.required ? "Choose" : "" }), allowed.map((value) => h("option", { text: value })));
  const number = type === "integer" || type === "number";
  return h("input", {
    id, type: "text", class: "mono", autocomplete: "off", spellcheck: "false",
    inputmode: number ? "numeric" : null,
    placeholder: hint(parameter, schema, type),
  });
}

function hint(parameter, schema, type) {
  const example = parameter.example ?? schema.examples?.[0] ?? schema.example ?? schema.default;
  if (example !== undefined && example !== null) return Array.isArray(example) ? example.join(", ") : String(example);
  return type === "array" ? "one, two" : "";
}

/**
 * Two headers that nobody wants to type by hand.
 *
 * @param {Parameter} parameter
 * @param {any} control
 * @returns {{element: HTMLElement, refresh?: (url: string) => void} | null}
 */
function helperFor(parameter, control) {
  if (parameter.in !== "header") return null;
  const put = (value) => {
    control.value = value;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  };
  switch (parameter.name.toLowerCase()) {
    case "idempotency-key":
      return { element: h("button", { type: "button", onclick: () => put(randomKey()) }, "New key") };
    case "if-match":
    case "if-none-match":
      return tagHelper(put);
    default:
      return null;
  }
}

/** Offers the tag that the server last gave for this address. */
function tagHelper(put) {
  const button = h("button", { type: "button", hidden: true, onclick: () => put(button.dataset.tag) });
  const refresh = (url) => {
    const tag = recallTag(url);
    button.hidden = tag === "";
    button.dataset.tag = tag;
    fill(button, `Use ${tag.length > 12 ? `${tag.slice(0, 11)}…` : tag}`);
  };
  return { element: button, refresh };
}

/** `crypto.randomUUID` exists in secure contexts only. */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Without its path parameters a request has no address. Anything else may be
 * left out on purpose, to see what the server says.
 *
 * @param {Field[]} fields
 */
function complete(fields) {
  const missing = fields.filter(({ parameter, control }) => parameter.in === "path" && control.value.trim() === "");
  for (const { control } of missing) control.setAttribute("aria-invalid", "true");
  missing[0]?.control.focus();
  return missing.length === 0;
}
