// Addresses on this page. They live behind `#`, so the server sees one page
// and every view can be sent to a colleague.
//
//   #/                         the overview
//   #/op/<id>?path.id=tkt_1    one operation, its inputs filled in
//   #/sockets/<id>             one socket
//   #/schemas/<name>           one schema

/**
 * @typedef {{view: "overview"} | {view: "operation", id: string, prefill: URLSearchParams}
 *   | {view: "socket", id: string} | {view: "schema", name: string}} Route
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function readRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, name = ""] = path.split("/");
  if (view === "op" && name) return { view: "operation", id: decode(name), prefill: new URLSearchParams(query) };
  if (view === "sockets" && name) return { view: "socket", id: decode(name) };
  if (view === "schemas" && name) return { view: "schema", name: decode(name) };
  return { view: "overview" };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * @param {{id: string}} operation
 * @param {string[][]} [prefill] names such as `path.id` or `query.limit`
 */
export function operationHref(operation, prefill = []) {
  const query = new URLSearchParams(prefill).toString();
  return `#/op/${encodeURIComponent(operation.id)}${query ? `?${query}` : ""}`;
}

/** @param {{id: string}} socket */
export function socketHref(socket) {
  return `#/sockets/${encodeURIComponent(socket.id)}`;
}

/** @param {string} name */
export function schemaHref(name) {
  return `#/schemas/${encodeURIComponent(name)}`;
}
