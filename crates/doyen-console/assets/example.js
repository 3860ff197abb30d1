// Makes an example value from a schema, good enough to be sent.

import { choices, view } from "./schema.js";

/**
 * @param {any} doc
 * @param {any} raw
 * @param {{request?: boolean, patch?: boolean}} [options]
 *   `request` leaves out what only the server sets; `patch` keeps a merge
 *   patch small, so that sending it does not reset every field.
 */
export function exampleOf(doc, raw, options = {}) {
  const { patch, ...rest } = options;
  const value = build(doc, raw, rest, []);
  if (!patch || !isPlainObject(value)) return value;
  const required = view(doc, raw).schema.required ?? [];
  const keys = required.length > 0 ? required : Object.keys(value).slice(0, 1);
  return Object.fromEntries(keys.map((key) => [key, value[key]]));
}

function isPlainObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `path` holds the names of the components around, to stop in a cycle. */
function build(doc, raw, options, path) {
  const { schema, name, type, nullable, variants } = view(doc, raw);
  const given = givenExample(schema);
  if (given !== undefined) return given;
  if (name && path.includes(name)) return nullable ? null : type === "array" ? [] : {};
  const inside = name ? [...path, name] : path;
  const allowed = choices(schema);
  if (allowed && allowed.length > 0) return allowed[0];
  if (variants.length > 0) return buildVariant(doc, schema, variants, options, inside);
  switch (type.split(" or ")[0]) {
    case "object":
      return buildObject(doc, schema, options, inside);
    case "array":
      return buildArray(doc, schema, options, inside);
    case "string":
      return exampleString(schema);
    case "integer":
      return exampleNumber(schema, true);
    case "number":
      return exampleNumber(schema, false);
    case "boolean":
      return true;
    default:
      return null;
  }
}

function givenExample(schema) {
  if (schema.example !== undefined) return schema.example;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  return schema.default === null ? undefined : schema.default;
}

function buildVariant(doc, schema, variants, options, path) {
  const value = build(doc, variants[0], options, path);
  if (!schema.properties || !isPlainObject(value)) return value;
  return { ...buildObject(doc, schema, options, path), ...value };
}

function buildObject(doc, schema, options, path) {
  const value = {};
  const required = new Set(schema.required ?? []);
  for (const [key, raw] of Object.entries(schema.properties ?? {})) {
    const property = view(doc, raw);
    if (options.request && property.schema.readOnly) continue;
    if (!options.request && property.schema.writeOnly) continue;
    if (property.schema.deprecated && !required.has(key)) continue;
    const inCycle = property.name && path.includes(property.name);
    if (inCycle && !required.has(key)) continue;
    value[key] = build(doc, raw, options, path);
  }
  if (isPlainObject(schema.additionalProperties) && Object.keys(value).length === 0) {
    value.key = build(doc, schema.additionalProperties, options, path);
  }
  return value;
}

function buildArray(doc, schema, options, path) {
  if (Array.isArray(schema.prefixItems)) return schema.prefixItems.map((item) => build(doc, item, options, path));
  const items = view(doc, schema.items);
  if (items.name && path.includes(items.name)) return [];
  const count = Math.max(1, Math.min(schema.minItems ?? 1, 3));
  return Array.from({ length: count }, () => build(doc, schema.items, options, path));
}

const STRINGS = {
  "date-time": "2026-01-31T09:30:00Z",
  date: "2026-01-31",
  time: "09:30:00Z",
  duration: "PT15M",
  email: "name@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uuid: "0198c5a6-7f3e-7c1a-9d52-3b8f6a4e2d10",
  uri: "https://example.com/path",
  "uri-reference": "/path",
  password: "correct horse battery staple",
};

/** Tried in turn against a `pattern`. */
const CANDIDATES = ["string", "example", "abc", "ABC", "Abc1", "a1", "1", "123456", "abc-123", "ABC-123", "#a0b1c2", "en", "EUR", "+15550100", "1.0.0", "*"];

function exampleString(schema) {
  const base = STRINGS[schema.format] ?? matching(schema) ?? "string";
  const least = schema.minLength ?? 0;
  const long = base.length < least && !STRINGS[schema.format] ? base.padEnd(least, base) : base;
  return schema.maxLength !== undefined ? long.slice(0, schema.maxLength) : long;
}

function matching(schema) {
  if (!schema.pattern) return undefined;
  try {
    const pattern = new RegExp(schema.pattern, "u");
    return CANDIDATES.find((candidate) => pattern.test(candidate));
  } catch {
    return undefined;
  }
}

/** 1 or one step where that is allowed, else a number near a limit. */
function exampleNumber(schema, isWhole) {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema;
  const low = Math.max(minimum, exclusiveMinimum);
  const high = Math.min(maximum, exclusiveMaximum);
  const step = schema.multipleOf ?? (isWhole ? 1 : undefined);
  const tidy = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(12)));
  const first = step && Math.ceil(tidy(low / step));
  const near = step
    ? [step, first * step, (first + 1) * step, Math.floor(tidy(high / step)) * step, (Math.ceil(tidy(high / step)) - 1) * step]
    : [1, low, high, (low + high) / 2, low + 1, high - 1];
  const fits = (value) => value >= minimum && value <= maximum && value > exclusiveMinimum && value < exclusiveMaximum;
  return near.filter(Number.isFinite).map(tidy).find(fits) ?? 1;
}
