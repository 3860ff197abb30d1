// Fetches the OpenAPI document.

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
  return readSpec(doc, url.href);
}
