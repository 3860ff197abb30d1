// Makes sense of one JSON Schema (draft 2020-12): follows `$ref`, joins
// `allOf`, and finds out what the value is called and what limits it has.

import { refName, resolveRef } from "./spec.js";

/**
 * @typedef {object} View  a schema made plain
 * @property {any} schema        without `$ref`, `allOf` and "or null"
 * @property {string} name       the component's name, or empty
 * @property {string} type       the one type, `any`, or several joined with " or "
 * @property {boolean} nullable
 * @property {any[]} variants    of `oneOf` or `anyOf`, else empty
 */

/**
 * @param {any} doc
 * @param {any} raw
 * @param {number} [depth]
 * @returns {View}
 */
export function view(doc, raw, depth = 0) {
  if (raw === undefined || raw === true) return { schema: {}, name: "", type: "any", nullable: false, variants: [] };
  if (raw === false) return { schema: {}, name: "", type: "nothing", nullable: false, variants: [] };
  const name = typeof raw.$ref === "string" ? refName(raw.$ref) : "";
  const resolved = joinAllOf(doc, resolveRef(doc, raw) ?? {}, depth);
  const variants = resolved.oneOf ?? resolved.anyOf ?? [];
  const real = variants.filter((variant) => !isNull(variant));
  const orNull = real.length < variants.length;
  if (real.length === 1 && depth < 12) return single(doc, resolved, real[0], name, orNull, depth);
  const constants = constantsOf(resolved);
  const types = constants ? [...new Set(constants.map(jsonType))] : typesOf(resolved);
  return {
    schema: resolved,
    name,
    type: types.filter((type) => type !== "null").join(" or ") || "any",
    nullable: orNull || types.includes("null"),
    variants: constants ? [] : real,
  };
}

/** "X or null" is X that may be null. */
function single(doc, resolved, variant, name, orNull, depth) {
  const { oneOf, anyOf, ...around } = resolved;
  const inner = view(doc, variant, depth + 1);
  return {
    ...inner,
    schema: { ...inner.schema, ...around },
    name: name || inner.name,
    nullable: orNull || inner.nullable,
  };
}

function isNull(schema) {
  return schema?.type === "null" || schema?.const === null;
}

function joinAllOf(doc, schema, depth) {
  if (!Array.isArray(schema.allOf) || depth > 12) return schema;
  const { allOf, ...own } = schema;
  const parts = allOf.map((part) => joinAllOf(doc, resolveRef(doc, part) ?? {}, depth + 1));
  return [...parts, own].reduce(join, {});
}

function join(left, right) {
  const joined = { ...left, ...right };
  if (left.properties || right.properties) joined.properties = { ...left.properties, ...right.properties };
  if (left.required || right.required) joined.required = [...new Set([...(left.required ?? []), ...(right.required ?? [])])];
  return joined;
}

/**
 * @param {any} schema
 * @returns {string[]}
 */
function typesOf(schema) {
  if (Array.isArray(schema.type)) return schema.type;
  if (typeof schema.type === "string") return [schema.type];
  if (schema.properties || schema.additionalProperties) return ["object"];
  if (schema.items || schema.prefixItems) return ["array"];
  if ("const" in schema) return [jsonType(schema.const)];
  if (Array.isArray(schema.enum)) return [...new Set(schema.enum.map(jsonType))];
  return [];
}

function jsonType(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

/**
 * What the reader calls the type: `string date-time`, `array of Ticket`, `one of 3`.
 *
 * @param {any} doc
 * @param {any} raw
 * @param {number} [depth]
 * @returns {string}
 */
export function typeLabel(doc, raw, depth = 0) {
  const seen = view(doc, raw);
  const suffix = seen.nullable ? " or null" : "";
  return baseLabel(doc, seen, depth) + suffix;
}

function baseLabel(doc, { schema, name, type, variants }, depth) {
  if (variants.length > 1) {
    const labels = [...new Set(variants.map((variant) => (depth > 2 ? "…" : typeLabel(doc, variant, depth + 1))))];
    return labels.length === 1 || labels.join(" or ").length > 48 ? `one of ${variants.length}` : labels.join(" or ");
  }
  if (type === "array" && schema.items && depth < 4) return `array of ${plural(typeLabel(doc, schema.items, depth + 1))}`;
  if (type === "object") return name || schema.title || (isMap(schema) ? "map" : "object");
  const format = schema.format ?? schema.contentMediaType;
  return format ? `${type} ${format}` : type;
}

function plural(label) {
  return { string: "strings", integer: "integers", number: "numbers", object: "objects" }[label] ?? label;
}

/** An object with free keys. @param {any} schema */
export function isMap(schema) {
  return typeof schema.additionalProperties === "object" && Object.keys(schema.properties ?? {}).length === 0;
}

/**
 * The limits in the reader's words.
 *
 * @param {any} schema
 * @returns {string[]}
 */
export function limits(schema) {
  return [
    range(schema.minLength, schema.maxLength, "character"),
    range(schema.minItems, schema.maxItems, "item"),
    range(schema.minProperties, schema.maxProperties, "key"),
    between(schema),
    schema.multipleOf !== undefined && `multiple of ${schema.multipleOf}`,
    schema.uniqueItems && "no item twice",
    schema.readOnly && "read only",
    schema.writeOnly && "write only",
  ].filter(Boolean);
}

function range(least, most, noun) {
  const number = (count) => count.toLocaleString("en");
  const nouns = (count) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
  if (least && most !== undefined) return least === most ? `exactly ${nouns(least)}` : `${number(least)} to ${nouns(most)}`;
  if (most !== undefined) return `at most ${nouns(most)}`;
  return least ? `at least ${nouns(least)}` : "";
}

function between(schema) {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return `${exact(minimum)} to ${exact(maximum)}`;
  return [
    minimum !== undefined && `≥ ${exact(minimum)}`,
    exclusiveMinimum !== undefined && `> ${exact(exclusiveMinimum)}`,
    maximum !== undefined && `≤ ${exact(maximum)}`,
    exclusiveMaximum !== undefined && `< ${exact(exclusiveMaximum)}`,
  ].filter(Boolean).join(", ");
}

/** The ends of 64-bit numbers, which JSON.parse rounds. */
const ENDS = [2n ** 64n - 1n, 2n ** 63n - 1n, -(2n ** 63n)];

function exact(limit) {
  return String(ENDS.find((end) => Number(end) === limit) ?? limit);
}

/**
 * The only values allowed, or null when any will do.
 *
 * @param {any} schema
 * @returns {any[] | null}
 */
export function choices(schema) {
  if ("const" in schema) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum.filter((value) => value !== null) : constantsOf(schema);
}

/** Enums whose values carry docs are written as `oneOf` of constants. */
function constantsOf(schema) {
  const variants = schema.oneOf ?? schema.anyOf;
  if (!Array.isArray(variants) || variants.length < 2) return null;
  const real = variants.filter((variant) => !isNull(variant));
  return real.every((variant) => variant && "const" in variant) ? real.map((variant) => variant.const) : null;
}

/**
 * The words that stand with each allowed value, empty when there are none.
 *
 * @param {any} schema
 * @returns {{value: any, words: string}[]}
 */
export function explainedChoices(schema) {
  const variants = (schema.oneOf ?? schema.anyOf ?? []).filter((variant) => !isNull(variant));
  if (!constantsOf(schema) || !variants.some((variant) => variant.description)) return [];
  return variants.map((variant) => ({ value: variant.const, words: variant.description ?? "" }));
}
