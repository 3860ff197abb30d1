// A schema as a tree that opens level by level. Each level is drawn when it
// is opened, so a schema that contains itself costs nothing.

import { h, lazyDetails } from "./dom.js";
import { inlineMarkdown, markdown } from "./markdown.js";
import { schemaHref } from "./router.js";
import { choices, explainedChoices, isMap, limits, typeLabel, view } from "./schema.js";

/** @typedef {import("./spec.js").Spec} Spec */

/**
 * @param {Spec} spec
 * @param {any} raw
 * @returns {HTMLElement} without the name and the description of the schema itself
 */
export function schemaTree(spec, raw) {
  const seen = view(spec.doc, raw);
  return h("div", { class: "schema" }, values(seen.schema), facts(seen.schema), inside(spec, seen));
}

/** What a value consists of: fields, items, variants. Empty for a plain value. */
function inside(spec, seen) {
  const { schema, variants } = seen;
  return [
    fieldList(spec, schema),
    schema.items !== undefined && itemTree(spec, schema.items),
    variants.length > 0 && variantList(spec, schema, variants),
  ].filter(Boolean);
}

function fieldList(spec, schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, raw]) => fieldRow(spec, name, raw, required.has(name)));
  if (typeof schema.additionalProperties === "object") {
    rows.push(fieldRow(spec, "*", schema.additionalProperties, false, "any key"));
  }
  return rows.length > 0 ? h("ul", { class: "fields" }, rows) : null;
}

/** Lists go straight to what is in them. */
function itemTree(spec, items) {
  const seen = view(spec.doc, items);
  const content = inside(spec, seen);
  const about = facts(seen.schema);
  if (content.length === 0 && !about) return null;
  return h("div", { class: "items" }, h("p", { class: "items-label", text: "Each item" }), about, content);
}

/**
 * @param {Spec} spec
 * @param {string} name
 * @param {any} raw
 * @param {boolean} required
 * @param {string} [title]
 */
function fieldRow(spec, name, raw, required, title) {
  const seen = view(spec.doc, raw);
  const isDeprecated = seen.schema.deprecated === true;
  return h("li", { class: "field" },
    h("div", { class: "field-head" },
      h("code", { class: isDeprecated ? "field-name struck" : "field-name", text: title ?? name }),
      typeLink(spec, raw),
      required && h("span", { class: "required", text: "required" }),
      isDeprecated && h("span", { class: "badge warn", text: "deprecated" })),
    markdown(seen.schema.description),
    values(seen.schema),
    facts(seen.schema),
    more(spec, seen));
}

/** The fold under a field that has an inside. */
function more(spec, seen) {
  const target = seen.schema.items !== undefined ? view(spec.doc, seen.schema.items) : seen;
  const count = Object.keys(target.schema.properties ?? {}).length;
  const hasInside = count > 0 || target.variants.length > 0 || target.schema.items !== undefined || isMap(target.schema);
  if (!hasInside) return target === seen ? null : facts(target.schema, "Each item: ");
  const word = target.variants.length > 0 ? `${target.variants.length} variants` : count > 0 ? `${count} field${count === 1 ? "" : "s"}` : "any key";
  const label = [word, target.name && h("span", { class: "muted", text: ` of ${target.name}` })];
  return lazyDetails({ class: "fold" }, label, () => inside(spec, target));
}

function variantList(spec, schema, variants) {
  const key = schema.discriminator?.propertyName;
  return h("div", { class: "variants" },
    h("p", { class: "items-label" }, "One of", key && [", told apart by ", h("code", { text: key })]),
    variants.map((variant, index) => {
      const seen = view(spec.doc, variant);
      const title = seen.schema.title ?? (seen.name || tagOf(seen.schema) || typeLabel(spec.doc, variant));
      return lazyDetails({ class: "fold", open: index === 0 && variants.length <= 3 }, title, () => [
        markdown(seen.schema.description), facts(seen.schema), inside(spec, seen),
      ]);
    }));
}

/** An unnamed variant is known by its constant field, as in `kind: "email"`. */
function tagOf(schema) {
  const tag = Object.entries(schema.properties ?? {}).find(([, property]) => property && "const" in property);
  return tag ? `${tag[0]}: ${JSON.stringify(tag[1].const)}` : "";
}

/**
 * The type in words; a named one leads to its own page.
 *
 * @param {Spec} spec
 * @param {any} raw
 */
export function typeLink(spec, raw) {
  const label = typeLabel(spec.doc, raw);
  const seen = view(spec.doc, raw);
  const name = seen.name || (seen.schema.items ? view(spec.doc, seen.schema.items).name : "");
  // A schema of a socket may have no page.
  const isNamed = name !== "" && label.includes(name) && spec.schemaNames.includes(name);
  return h("span", { class: "field-type" }, isNamed ? h("a", { href: schemaHref(name), text: label }) : label);
}

/** The allowed values with what each one means. @param {any} schema */
export function values(schema) {
  const rows = explainedChoices(schema).map(({ value, words }) => [h("dt", {}, literal(value)), h("dd", {}, inlineMarkdown(words))]);
  return rows.length > 0 ? h("dl", { class: "values" }, rows) : null;
}

/**
 * Limits, allowed values, default and example on one line.
 *
 * @param {any} schema
 * @param {string} [before]
 */
export function facts(schema, before = "") {
  const allowed = explainedChoices(schema).length > 0 ? null : choices(schema);
  const parts = limits(schema).map((text) => h("span", { text }));
  if (allowed) parts.push(h("span", {}, allowed.length === 1 ? "always " : "one of ", allowed.map((value) => [literal(value), " "])));
  if (schema.pattern) parts.push(h("span", {}, "matches ", h("code", { text: schema.pattern })));
  if (schema.default !== undefined && schema.default !== null) parts.push(h("span", {}, "default ", literal(schema.default)));
  const example = schema.examples?.[0] ?? schema.example;
  if (example !== undefined && typeof example !== "object" && !allowed) parts.push(h("span", {}, "for example ", literal(example)));
  return parts.length > 0 ? h("div", { class: "facts" }, before && h("span", { text: before.trim() }), parts) : null;
}

function literal(value) {
  return h("code", { text: typeof value === "string" ? value : JSON.stringify(value) });
}
