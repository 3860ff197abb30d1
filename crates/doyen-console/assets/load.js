// Fetches the OpenAPI document, and that of the sockets if there is one.

import { NO_SOCKETS, readSockets } from "./sockets.js";
import { readSpec } from "./spec.js";

/** Used when the page names no document. */
const FALLBACK = "/openapi.json";

export async function loadSpec() {
  const meta = document.querySelector('meta[name="doyen-openapi"]');
  const url = new URL(meta?.getAttribute("content") || FALLBACK, document.baseURI);
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}.`);
  const doc = await response.json().catch(() => null);
  if (!doc || typeof doc !== "object" || typeof doc.openapi !== "string") {
    throw new Error(`${url.pathname} is not an OpenAPI document.`);
  }
  return { ...readSpec(doc, url.href), sockets: await loadSockets() };
}

/** Without its sockets the page is still of use. */
async function loadSockets() {
  const url = document.querySelector('meta[name="doyen-asyncapi"]')?.getAttribute("content");
  if (!url) return NO_SOCKETS;
  try {
    const response = await fetch(new URL(url, document.baseURI), { headers: { Accept: "application/json" } });
    return response.ok ? readSockets(await response.json()) : NO_SOCKETS;
  } catch {
    return NO_SOCKETS;
  }
}
