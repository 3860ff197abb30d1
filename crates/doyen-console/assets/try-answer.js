// The answer to a request: status, time, headers, body.

import { copyButton, h } from "./dom.js";
import { become } from "./auth.js";
import { jsonView } from "./json-view.js";
import { findTarget } from "./links.js";
import { statusTag } from "./parts.js";
import { prettyText } from "./json-text.js";
import { isJson } from "./request.js";

/**
 * @typedef {import("./request.js").Answer} Answer
 * @typedef {{spec: import("./spec.js").Spec, operation: import("./spec.js").Operation, url: string}} Context
 */

/**
 * @param {Context} context
 * @param {Answer} answer
 */
export function answerView(context, answer) {
  return [
    h("div", { class: "answer-head" },
      statusTag(answer.status),
      h("span", { class: "answer-status", text: answer.statusText }),
      h("span", { class: "answer-facts", text: `${duration(answer.milliseconds)} · ${size(answer.size)}` })),
    tokenOffer(context, answer),
    body(context, answer),
    headers(context, answer),
  ];
}

/** @param {any} error */
export function failureView(error) {
  const stopped = error?.name === "AbortError";
  return h("p", { class: stopped ? "notice" : "notice bad", text: stopped ? "Stopped." : `No answer: ${error?.message ?? error}. Is the server running?` });
}

/** @param {number} milliseconds */
function duration(milliseconds) {
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

/** @param {number} bytes */
function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/**
 * @param {Context} context
 * @param {Answer} answer
 */
function body({ spec }, answer) {
  if (answer.text === null) return answer.blob && answer.size > 0 ? download(answer.blob) : null;
  if (answer.text === "") return null;
  const isJsonBody = isJson(answer.mediaType);
  const shown = isJsonBody ? jsonView(spec, answer.text, "Response body") : plain(answer.text);
  return h("div", { class: "code-box" }, copyButton(() => (isJsonBody ? prettyText(answer.text ?? "") : answer.text ?? ""), "response body"), shown);
}

function plain(text) {
  return h("pre", { class: "code", tabindex: "0", role: "region", "aria-label": "Response body" }, h("code", { text: text.slice(0, 200_000) }));
}

/** @param {Blob} blob */
function download(blob) {
  const link = h("a", { href: URL.createObjectURL(blob), download: "response", text: `Download the body (${size(blob.size)})` });
  return h("p", {}, link);
}

/**
 * @param {Context} context
 * @param {Answer} answer
 */
function headers({ spec }, answer) {
  const rows = answer.headers.map(([name, value]) => {
    const target = name === "location" ? findTarget(spec, value) : null;
    return [h("dt", { text: name }), h("dd", {}, target ? h("a", { href: target.href, title: target.title, text: value }) : value)];
  });
  return h("details", { class: "fold" }, h("summary", { text: `${answer.headers.length} headers` }), h("dl", { class: "headers" }, rows));
}

/** Whoever logs in through the panel wants to stay logged in. */
function tokenOffer(context, answer) {
  if (answer.status !== 200 || !isJson(answer.mediaType) || !answer.text?.includes('"access_token"')) return null;
  const token = tokenIn(answer.text);
  if (!token) return null;
  const offer = h("p", { class: "notice" }, "The answer has an access token. ", h("button", {
    type: "button", class: "link",
    onclick: () => {
      become({ token, name: "Access token" });
      offer.replaceChildren("The page now sends this token.");
    },
  }, "Use it"));
  return offer;
}

function tokenIn(text) {
  try {
    const token = JSON.parse(text).access_token;
    return typeof token === "string" ? token : "";
  } catch {
    return "";
  }
}
