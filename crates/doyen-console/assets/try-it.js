// The "Try it" panel: inputs, the request as a curl command, the answer.

import { copyButton, fill, h } from "./dom.js";
import { identity, identityHeaders, isSignedIn, onIdentity } from "./auth.js";
import { openAuthDialog } from "./auth-bar.js";
import { messageLog } from "./message-log.js";
import { rememberIdentifier, rememberTag } from "./memory.js";
import { buildRequest, curl, send } from "./request.js";
import { accessOf } from "./security.js";
import { parametersOf, resolveRef } from "./spec.js";
import { bodyEditor } from "./try-body.js";
import { parameterInputs } from "./try-fields.js";
import { answerView, failureView } from "./try-answer.js";

/**
 * @typedef {import("./spec.js").Spec} Spec
 * @typedef {import("./spec.js").Operation} Operation
 */

/**
 * @param {Spec} spec
 * @param {Operation} operation
 * @param {URLSearchParams} prefill
 */
export function tryIt(spec, operation, prefill) {
  const access = accessOf(spec, operation);
  const parameters = parametersOf(spec, operation).filter((parameter) => parameter.in !== "cookie");
  const inputs = parameterInputs(spec, operation, parameters, prefill);
  const body = bodyEditor(spec, operation);
  const answer = h("div", { class: "answer", role: "region", "aria-label": "Response" });
  const announcement = h("p", { class: "off-screen", role: "status" });
  const command = h("code", {});
  const [start, stop] = isEventStream(spec, operation) ? ["Open", "Close"] : ["Send", "Stop"];
  const button = h("button", { class: "primary send", text: start });

  const request = () => {
    const { method, url, headers } = buildRequest(spec, operation, inputs.values());
    const typed = new Set(headers.map(([name]) => name.toLowerCase()));
    const own = identityHeaders(access).filter(([name]) => !typed.has(name.toLowerCase()));
    const sent = body?.content() ?? { headers: [], body: undefined, curlBody: [] };
    return { method, url, headers: [...headers, ...own, ...sent.headers], body: sent.body, curlBody: sent.curlBody };
  };
  const drawCommand = () => {
    const current = request();
    command.textContent = curl({ ...current, headers: veiled(current.headers) }, location.origin);
    inputs.refresh(current.url);
  };
  const submit = sender({ spec, operation, inputs, button, start, stop, answer, announcement, request, drawCommand });

  const form = h("form", { class: "try", novalidate: true, onsubmit: submit, oninput: drawCommand, onchange: drawCommand, "aria-label": `Try ${operation.summary}` },
    h("div", { class: "try-head" }, h("h2", { text: "Try it" }), button),
    loginHint(spec, access),
    inputs.element,
    body?.element,
    h("details", { class: "fold curl" },
      h("summary", { text: "curl" }),
      h("div", { class: "code-box" }, copyButton(() => curl(request(), location.origin), "curl command"), h("pre", { class: "code", tabindex: "0" }, command))),
    announcement,
    answer);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  onIdentity(form, drawCommand);
  drawCommand();
  return form;
}

/** The handler that sends, and that stops what is under way when pressed again. */
function sender({ spec, operation, inputs, button, start, stop, answer, announcement, request, drawCommand }) {
  /** @type {AbortController | null} */
  let running = null;
  return async (event) => {
    event.preventDefault();
    if (running) return running.abort();
    if (!inputs.complete()) return;
    const sent = request();
    const context = { spec, operation, url: sent.url };
    running = new AbortController();
    // The page shows another view: nobody sees the answer any more.
    const leave = () => running?.abort();
    addEventListener("hashchange", leave, { once: true });
    button.textContent = stop;
    let log = null;
    answer.classList.add("waiting");
    try {
      const received = await send(sent, running.signal, (partial, items) => {
        answer.classList.remove("waiting");
        log ??= openLog(context, partial, answer);
        for (const item of items) showItem(log, item);
      });
      remember(operation, inputs, sent, received);
      if (log) log.note("Closed");
      else fill(answer, answerView(context, received));
      fill(announcement, `${received.status} ${received.statusText}`);
    } catch (error) {
      fill(answer, failureView(error));
      fill(announcement, answer.textContent);
    } finally {
      removeEventListener("hashchange", leave);
      running = null;
      button.textContent = start;
      answer.classList.remove("waiting");
      drawCommand();
    }
  };
}

/** @returns {boolean} true if the answer is a stream of events */
function isEventStream(spec, operation) {
  const responses = Object.values(operation.raw.responses ?? {});
  return responses.some((response) => "text/event-stream" in (resolveRef(spec.doc, response)?.content ?? {}));
}

/** The head of a stream, and the list of its events. */
function openLog(context, partial, answer) {
  const log = messageLog(context.spec, "Events");
  fill(answer, answerView(context, partial), log.element);
  return log;
}

/** A comment keeps the connection alive, or says why it ends. */
function showItem(log, item) {
  if (item.kind === "event") log.add({ direction: "in", title: [item.event, item.id].filter(Boolean).join(" · "), text: item.data });
  else if (item.text !== "keep-alive") log.note(item.text);
}

function remember(operation, inputs, sent, received) {
  if (received.status >= 400) return;
  for (const { parameter, value } of inputs.values()) {
    if (parameter.in === "path") rememberIdentifier(operation.path, parameter.name, value);
  }
  const header = (name) => received.headers.find(([key]) => key === name)?.[1];
  rememberTag(header("location") ?? sent.url, header("etag"));
}

/**
 * Says so before a request that will be refused is sent.
 *
 * @param {Spec} spec
 * @param {import("./security.js").Access} access
 */
function loginHint(spec, access) {
  if (access.public || access.optional) return null;
  const hint = h("p", { class: "notice" });
  const draw = () => {
    hint.hidden = isSignedIn();
    fill(hint, "You are not logged in. ", h("button", { type: "button", class: "link", onclick: () => openAuthDialog(spec) }, "Log in"));
  };
  draw();
  onIdentity(hint, draw);
  return hint;
}

/**
 * A token on the screen is long and secret; the copied command has all of it.
 *
 * @param {[string, string][]} headers
 * @returns {[string, string][]}
 */
function veiled(headers) {
  const secret = new Set(["authorization", ...Object.keys(identity().apiKeys).map((name) => name.toLowerCase())]);
  return headers.map(([name, value]) => [name, secret.has(name.toLowerCase()) ? value.replace(/(\S{6})\S+$/, "$1…") : value]);
}
