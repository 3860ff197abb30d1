// Reads an AsyncAPI 3 document: the sockets of the application, and how a page
// gets a credential for one.

import { exampleOf } from "./example.js";
import { view } from "./schema.js";
import { resolveRef } from "./spec.js";

/**
 * @typedef {object} Socket
 * @property {string} id
 * @property {string} path         the template, for example `/v1/socket`
 * @property {string} title
 * @property {string} description
 * @property {string} protocol     the subprotocol, or empty
 * @property {any} receives        the schema of a message from the client
 * @property {any} sends           the schema of a message from the server
 *
 * @typedef {{doc: any, list: Socket[], tokens: string}} Sockets
 *   `tokens` is the path that creates single-use connection tokens, or empty
 */

/** @type {Sockets} */
export const NO_SOCKETS = { doc: {}, list: [], tokens: "" };

/**
 * @param {any} doc
 * @returns {Sockets}
 */
export function readSockets(doc) {
  if (typeof doc?.asyncapi !== "string") return NO_SOCKETS;
  const list = Object.entries(doc.channels ?? {}).map(([id, channel]) => readSocket(doc, id, channel));
  return { doc, list: list.filter((socket) => socket.path.startsWith("/")), tokens: doc["x-connection-tokens"] ?? "" };
}

/** @returns {Socket} */
function readSocket(doc, id, raw) {
  const channel = resolveRef(doc, raw) ?? {};
  const payload = (name) => resolveRef(doc, channel.messages?.[name])?.payload;
  const headers = channel.bindings?.ws?.headers?.properties ?? {};
  return {
    id,
    path: channel.address ?? "",
    title: channel.title ?? id,
    description: channel.description ?? "",
    protocol: headers["Sec-WebSocket-Protocol"]?.const ?? "",
    receives: payload("fromClient"),
    sends: payload("fromServer"),
  };
}

/**
 * One example for each kind of message.
 *
 * @param {any} doc
 * @param {any} schema
 * @returns {{name: string, value: any}[]}
 */
export function messageExamples(doc, schema) {
  const { variants } = view(doc, schema);
  if (variants.length === 0) return [{ name: "Example", value: exampleOf(doc, schema, { request: true }) }];
  return variants.map((variant, index) => {
    const value = exampleOf(doc, variant, { request: true });
    return { name: tagOf(doc, variant) || `Example ${index + 1}`, value: withoutOptional(doc, variant, value) };
  });
}

/** A message of a kind is known by its constant field. */
function tagOf(doc, variant) {
  const properties = Object.values(view(doc, variant).schema.properties ?? {});
  const tag = properties.find((property) => property && "const" in property);
  return tag ? String(tag.const) : view(doc, variant).name;
}

/** A made-up value for an optional field, such as a position, would be refused. */
function withoutOptional(doc, variant, value) {
  const required = view(doc, variant).schema.required;
  if (!Array.isArray(required) || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => required.includes(name)));
}

/**
 * @param {string} path
 * @returns {string[]} the names of its parameters
 */
export function pathParameters(path) {
  return [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
}

/**
 * The address of a socket.
 *
 * @param {string} base what stands before every path
 * @param {Socket} socket
 * @param {Record<string, string>} values of the parameters in its path
 * @param {string} token a connection token, or empty
 * @param {string} page  the address of the page
 */
export function socketUrl(base, socket, values, token, page) {
  const path = socket.path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(values[name] ?? ""));
  const url = new URL(base + path, page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (token) url.searchParams.set("token", token);
  return url.href;
}
