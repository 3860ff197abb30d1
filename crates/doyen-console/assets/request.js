// From the values in the "Try it" panel to an HTTP request, its curl command
// and its answer.

import { eventReader } from "./event-stream.js";

/**
 * @typedef {import("./spec.js").Parameter} Parameter
 * @typedef {{method: string, url: string, headers: [string, string][],
 *   body: string | FormData | Blob | undefined, curlBody: string[]}} Request
 * @typedef {{status: number, statusText: string, milliseconds: number, headers: [string, string][],
 *   mediaType: string, blob: Blob | null, text: string | null, size: number}} Answer
 */

/**
 * @param {import("./spec.js").Spec} spec
 * @param {import("./spec.js").Operation} operation
 * @param {{parameter: Parameter, value: string}[]} inputs empty values are not sent
 * @returns {{method: string, url: string, headers: [string, string][]}}
 */
export function buildRequest(spec, operation, inputs) {
  const given = inputs.filter((input) => input.value !== "");
  const of = (place) => given.filter((input) => input.parameter.in === place);
  let path = operation.path;
  for (const { parameter, value } of of("path")) {
    path = path.replaceAll(`{${parameter.name}}`, encodeURIComponent(value));
  }
  const query = of("query").flatMap(queryPairs).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return {
    method: operation.method,
    url: spec.base + path + (query.length > 0 ? `?${query.join("&")}` : ""),
    headers: of("header").map(({ parameter, value }) => [parameter.name, value]),
  };
}

/** Lists are typed with commas; `explode` repeats the name for each item. */
function queryPairs({ parameter, value }) {
  const isList = parameter.schema.type === "array" || parameter.schema.type?.includes?.("array");
  if (!isList || !parameter.explode) return [[parameter.name, value]];
  return value.split(",").map((item) => [parameter.name, item.trim()]);
}

/** Readable where that is harmless. */
function encode(text) {
  return encodeURIComponent(text).replace(/%2C/g, ",").replace(/%3A/g, ":");
}

/**
 * The command as lines for a POSIX shell.
 *
 * @param {Request} request
 * @param {string} origin
 */
export function curl(request, origin) {
  const method = { GET: "", HEAD: "-I " }[request.method] ?? `-X ${request.method} `;
  const parts = [`curl ${method}${quote(origin + request.url)}`];
  for (const [name, value] of request.headers) parts.push(`-H ${quote(`${name}: ${value}`)}`);
  parts.push(...request.curlBody);
  return parts.join(" \\\n  ");
}

/** @param {string} text */
export function quote(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * Sends and reads the whole answer, except that the events of a stream are
 * handed out as they come until it ends or is stopped.
 *
 * @param {Request} request
 * @param {AbortSignal} signal
 * @param {(answer: Answer, items: import("./event-stream.js").StreamItem[]) => void} onProgress
 *   called at the start of a stream and for each piece of it
 * @returns {Promise<Answer>}
 */
export async function send(request, signal, onProgress) {
  const start = performance.now();
  const response = await fetch(request.url, {
    method: request.method,
    headers: request.headers,
    body: request.body,
    cache: "no-store",
    signal,
  });
  /** @type {Answer} */
  const answer = {
    status: response.status,
    statusText: response.statusText || STATUS_TEXT[response.status] || "",
    milliseconds: performance.now() - start,
    headers: [...response.headers],
    mediaType: (response.headers.get("content-type") ?? "").split(";")[0].trim().toLowerCase(),
    blob: null,
    text: null,
    size: 0,
  };
  if (answer.mediaType === "text/event-stream") return readStream(response, answer, onProgress);
  answer.blob = await response.blob();
  answer.size = answer.blob.size;
  answer.milliseconds = performance.now() - start;
  if (isText(answer.mediaType)) answer.text = await answer.blob.text();
  return answer;
}

async function readStream(response, answer, onProgress) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const read = eventReader();
  onProgress(answer, []);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return answer;
      answer.size += value.length;
      onProgress(answer, read(value));
    }
  } catch (error) {
    if (error?.name === "AbortError") return answer;
    throw error;
  }
}

/** @param {string} mediaType */
export function isText(mediaType) {
  return mediaType === "" || /^text\/|[/+]json$|[/+]xml$|javascript|urlencoded|ndjson|yaml/.test(mediaType);
}

/** @param {string} mediaType */
export function isJson(mediaType) {
  return /[/+]json$/.test(mediaType);
}

/** HTTP/2 sends no reason phrase. @type {Record<number, string>} */
export const STATUS_TEXT = {
  200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content",
  301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
  400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
  406: "Not Acceptable", 408: "Request Timeout", 409: "Conflict", 410: "Gone", 412: "Precondition Failed",
  413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content",
  428: "Precondition Required", 429: "Too Many Requests",
  500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
};
