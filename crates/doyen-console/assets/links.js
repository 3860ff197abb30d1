// From an address in an answer to the operation that serves it.

import { operationHref } from "./router.js";

/**
 * @param {import("./spec.js").Spec} spec
 * @param {string} address a path such as `/v1/tickets/tkt_1?fields=id`
 * @param {string} [method]
 * @returns {{href: string, title: string} | null}
 */
export function findTarget(spec, address, method = "GET") {
  if (!/^\/(?!\/)/.test(address) || address.length > 2000) return null;
  const [full, query = ""] = address.split("#")[0].split("?");
  const path = spec.base && full.startsWith(`${spec.base}/`) ? full.slice(spec.base.length) : full;
  let best = null;
  for (const operation of spec.operations) {
    if (operation.method !== method) continue;
    const values = matchPath(operation.path, path);
    if (values && (!best || values.size < best.values.size)) best = { operation, values };
  }
  if (!best) return null;
  const prefill = [...best.values].map(([name, value]) => [`path.${name}`, value]);
  for (const [name, value] of new URLSearchParams(query)) prefill.push([`query.${name}`, value]);
  return { href: operationHref(best.operation, prefill), title: `Open ${best.operation.summary}` };
}

/**
 * @param {string} template
 * @param {string} path
 * @returns {Map<string, string> | null} the parameters by name
 */
export function matchPath(template, path) {
  const wanted = template.split("/");
  const given = path.split("/");
  const values = new Map();
  if (wanted.length !== given.length) return null;
  for (let at = 0; at < wanted.length; at += 1) {
    const parameter = /^\{(.+)\}$/.exec(wanted[at]);
    if (!parameter && wanted[at] !== given[at]) return null;
    if (parameter && !given[at]) return null;
    if (parameter) values.set(parameter[1], decode(given[at]));
  }
  return values;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
