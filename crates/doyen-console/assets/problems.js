// The problem codes that a response may carry.
//
// They are read from `x-problem-codes` on the response (names, or objects
// with `code` and `title`), and from the schema's `code` property, wherever
// `const`, `enum`, `oneOf` and `allOf` put it.

import { choices, view } from "./schema.js";

/** @typedef {{code: string, title: string, href: string}} Problem */

/**
 * @param {import("./spec.js").Spec} spec
 * @param {any} response
 * @returns {Problem[]}
 */
export function problemsOf(spec, response) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const entry of [response["x-problem-codes"] ?? []].flat()) {
    if (typeof entry === "string") found.set(entry, "");
    else if (typeof entry?.code === "string") found.set(entry.code, entry.title ?? entry.description ?? "");
  }
  const schema = response.content?.["application/problem+json"]?.schema;
  if (schema) fromSchema(spec, schema, found, 0);
  for (const example of examples(response)) {
    const { code, title } = example.value ?? {};
    if (typeof code === "string" && !found.get(code)) found.set(code, title ?? "");
  }
  return [...found].map(([code, title]) => ({ code, title, href: `/problems/${encodeURIComponent(code)}` }));
}

function fromSchema(spec, raw, found, depth) {
  const { schema, variants } = view(spec.doc, raw);
  for (const variant of depth < 3 ? variants : []) fromSchema(spec, variant, found, depth + 1);
  if (!schema.properties?.code) return;
  const code = view(spec.doc, schema.properties.code).schema;
  const title = schema.properties.title ? view(spec.doc, schema.properties.title).schema.const : undefined;
  const described = describedCodes(code);
  for (const value of choices(code) ?? []) {
    if (typeof value === "string" && !found.get(value)) found.set(value, described.get(value) ?? title ?? "");
  }
}

/** Codes written as `oneOf` of constants carry their own words. */
function describedCodes(code) {
  const variants = code.oneOf ?? code.anyOf ?? [];
  return new Map(variants.map((variant) => [variant?.const, variant?.title ?? variant?.description ?? ""]));
}

function examples(response) {
  const media = response.content?.["application/problem+json"] ?? {};
  return [...Object.values(media.examples ?? {}), { value: media.example }];
}
