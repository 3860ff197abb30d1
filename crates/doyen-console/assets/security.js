// Who may call an operation, as the document tells it.

import { resolveRef } from "./spec.js";

/**
 * @typedef {{scheme: string, kind: "bearer" | "apiKey" | "basic" | "other", header: string, scopes: string[]}} Need
 * @typedef {{public: boolean, optional: boolean, ways: Need[][]}} Access
 */

/**
 * @param {import("./spec.js").Spec} spec
 * @param {import("./spec.js").Operation} operation
 * @returns {Access}
 */
export function accessOf(spec, operation) {
  const requirements = operation.raw.security ?? spec.doc.security ?? [];
  const ways = requirements
    .map((way) => Object.entries(way).map(([name, scopes]) => readNeed(spec, name, scopes)))
    .filter((way) => way.length > 0);
  const optional = requirements.length > ways.length;
  return { public: ways.length === 0, optional, ways };
}

/** All scopes that any way asks for, each once. @param {Access} access */
export function scopesOf(access) {
  return [...new Set(access.ways.flat().flatMap((need) => need.scopes))];
}

/**
 * @param {import("./spec.js").Spec} spec
 * @param {string} name
 * @param {any} scopes
 * @returns {Need}
 */
function readNeed(spec, name, scopes) {
  const scheme = resolveRef(spec.doc, spec.doc.components?.securitySchemes?.[name]) ?? {};
  return { scheme: name, kind: kindOf(scheme), header: scheme.name ?? "", scopes: Array.isArray(scopes) ? scopes : [] };
}

/**
 * @param {any} scheme
 * @returns {Need["kind"]}
 */
function kindOf(scheme) {
  if (scheme.type === "apiKey" && scheme.in === "header") return "apiKey";
  if (scheme.type === "oauth2" || scheme.type === "openIdConnect") return "bearer";
  if (scheme.type !== "http") return "other";
  return { bearer: "bearer", basic: "basic" }[String(scheme.scheme).toLowerCase()] ?? "other";
}

/**
 * The header names of the document's API keys.
 *
 * @param {import("./spec.js").Spec} spec
 * @returns {{name: string, header: string}[]}
 */
export function apiKeysOf(spec) {
  return Object.keys(spec.doc.components?.securitySchemes ?? {})
    .map((name) => readNeed(spec, name, []))
    .filter((need) => need.kind === "apiKey" && need.header !== "")
    .map((need) => ({ name: need.scheme, header: need.header }));
}
