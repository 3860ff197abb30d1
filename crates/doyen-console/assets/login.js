// Finds the operation that logs in, and uses it.

import { contentOf, resolveRef } from "./spec.js";
import { view } from "./schema.js";
import { isJson } from "./request.js";

/**
 * @typedef {{operation: import("./spec.js").Operation, nameField: string, secretField: string, mediaType: string}} Login
 */

/** @type {[string, string][]} */
const FIELDS = [["email", "password"], ["username", "password"]];

/**
 * The operation marked `x-doyen-login: true`, else a POST whose path ends in
 * `/login` and takes an email address or a user name with a password.
 *
 * @param {import("./spec.js").Spec} spec
 * @returns {Login | null}
 */
export function findLogin(spec) {
  const marked = spec.operations.find((operation) => operation.raw["x-doyen-login"] === true);
  const candidates = spec.operations.filter((operation) => operation.method === "POST" && /\/login\/?$/.test(operation.path));
  for (const operation of marked ? [marked] : candidates) {
    const login = readLogin(spec, operation);
    if (login) return login;
  }
  return null;
}

/**
 * @param {import("./spec.js").Spec} spec
 * @param {import("./spec.js").Operation} operation
 * @returns {Login | null}
 */
function readLogin(spec, operation) {
  const body = resolveRef(spec.doc, operation.raw.requestBody);
  for (const { mediaType, schema } of contentOf(spec, body?.content)) {
    if (!isJson(mediaType) && mediaType !== "application/x-www-form-urlencoded") continue;
    const properties = view(spec.doc, schema).schema.properties ?? {};
    const fields = FIELDS.find((pair) => pair.every((name) => name in properties));
    if (fields) return { operation, nameField: fields[0], secretField: fields[1], mediaType };
  }
  return null;
}

/**
 * @param {import("./spec.js").Spec} spec
 * @param {Login} login
 * @param {string} name
 * @param {string} secret
 * @returns {Promise<string>} the token; throws an `Error` with words for the reader
 */
export async function logIn(spec, login, name, secret) {
  const fields = { [login.nameField]: name, [login.secretField]: secret };
  const response = await post(spec.base + login.operation.path, login.mediaType, fields);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? answer.title ?? `The server answered ${response.status}.`);
  if (typeof answer.access_token !== "string") throw new Error("The answer has no access_token.");
  return answer.access_token;
}

async function post(url, mediaType, fields) {
  const body = isJson(mediaType) ? JSON.stringify(fields) : new URLSearchParams(fields).toString();
  try {
    return await fetch(url, { method: "POST", headers: { "Content-Type": mediaType }, body, cache: "no-store" });
  } catch {
    throw new Error("The server cannot be reached.");
  }
}
