// The panel of a socket: opens it with a connection token, sends messages, and
// shows what goes in both directions.

import { identityHeaders, isSignedIn, onIdentity } from "./auth.js";
import { openAuthDialog } from "./auth-bar.js";
import { fill, h } from "./dom.js";
import { messageLog } from "./message-log.js";
import { messageExamples, pathParameters, socketUrl } from "./sockets.js";
import { jsonEditor } from "./try-body.js";

/**
 * @param {import("./spec.js").Spec} spec
 * @param {import("./sockets.js").Socket} socket
 */
export function socketPanel(spec, socket) {
  const log = messageLog(spec, "Messages");
  const announcement = h("p", { class: "off-screen", role: "status" });
  const inputs = parameterFields(socket);
  const examples = messageExamples(spec.sockets.doc, socket.receives);
  const editor = jsonEditor(examples.map(({ value }) => value)[0], examples, "application/json");
  const send = h("button", { text: "Send message", disabled: true });
  const toggle = h("button", { type: "button", class: "primary send", text: "Open" });
  /** @type {WebSocket | null} */
  let connection = null;

  const say = (text) => {
    log.note(text);
    fill(announcement, text);
  };
  const show = (word, isOpen) => {
    toggle.textContent = word;
    send.disabled = !isOpen;
  };
  const open = async () => {
    show("Close", false);
    try {
      const values = inputs.values();
      const token = isSignedIn() && spec.sockets.tokens ? await createToken(spec) : "";
      connect(socketUrl(spec.base, socket, values, token, location.href));
    } catch (error) {
      say(error.message);
      show("Open", false);
    }
  };
  const connect = (url) => {
    const opened = new WebSocket(url, socket.protocol ? [socket.protocol] : []);
    connection = opened;
    // The page shows another view: nobody sees its messages any more.
    const leave = () => opened.close(1000);
    addEventListener("hashchange", leave, { once: true });
    opened.addEventListener("open", () => {
      say("Open");
      show("Close", true);
    });
    opened.addEventListener("message", ({ data }) => log.add({ direction: "in", title: titleOf(data), text: data }));
    opened.addEventListener("close", ({ code, reason }) => {
      removeEventListener("hashchange", leave);
      connection = null;
      say(code === 1006 ? "Closed: the server refused the connection, or it was lost." : `Closed: ${code} ${reason}`.trim());
      show("Open", false);
    });
  };
  toggle.addEventListener("click", () => {
    if (connection) connection.close(1000);
    else if (toggle.textContent === "Open" && inputs.complete()) open();
  });
  const submit = (event) => {
    event.preventDefault();
    const text = editor.content().body;
    if (!connection || send.disabled || !text) return;
    connection.send(text);
    log.add({ direction: "out", title: titleOf(text), text });
  };
  const form = h("form", { class: "try", novalidate: true, onsubmit: submit, "aria-label": `Try ${socket.title}` },
    h("div", { class: "try-head" }, h("h2", { text: "Try it" }), toggle),
    loginHint(spec),
    inputs.element,
    h("div", { class: "try-body" }, h("div", { class: "try-body-head" }, h("h3", { id: "body-label", text: "Message" })), editor.element),
    send,
    announcement,
    log.element);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  return form;
}

/** A browser sends no header with a socket, and an access token has no place in an address. */
async function createToken(spec) {
  const access = { public: false, optional: false, ways: [] };
  const response = await fetch(spec.base + spec.sockets.tokens, { method: "POST", headers: identityHeaders(access), cache: "no-store" });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? answer.title ?? `The server answered ${response.status}.`);
  return String(answer.token);
}

/** The `type` of a message, if it has one. @param {string} text */
function titleOf(text) {
  try {
    const { type, event } = JSON.parse(text);
    return [type, event].filter((part) => typeof part === "string").join(" ") || "message";
  } catch {
    return "text";
  }
}

/** @param {import("./sockets.js").Socket} socket */
function parameterFields(socket) {
  const fields = pathParameters(socket.path).map((name) => ({ name, control: h("input", { id: `socket-${name}`, type: "text", class: "mono", autocomplete: "off", spellcheck: "false" }) }));
  const element = h("div", { class: "try-fields" }, fields.map(({ name, control }) => h("div", { class: "form-field" },
    h("label", { for: control.id }, h("code", { text: name }), h("span", { class: "required", text: "required" }), h("span", { class: "place", text: "path" })), control)));
  const complete = () => {
    const missing = fields.filter(({ control }) => control.value.trim() === "");
    for (const { control } of fields) control.toggleAttribute("aria-invalid", false);
    for (const { control } of missing) control.setAttribute("aria-invalid", "true");
    missing[0]?.control.focus();
    return missing.length === 0;
  };
  return { element, complete, values: () => Object.fromEntries(fields.map(({ name, control }) => [name, control.value.trim()])) };
}

/** @param {import("./spec.js").Spec} spec */
function loginHint(spec) {
  if (!spec.sockets.tokens) return null;
  const hint = h("p", { class: "notice" });
  const draw = () => {
    hint.hidden = isSignedIn();
    fill(hint, "You are not logged in. ", h("button", { type: "button", class: "link", onclick: () => openAuthDialog(spec) }, "Log in"));
  };
  draw();
  onIdentity(hint, draw);
  return hint;
}
