// The button that shows who is calling, and the dialog behind it.

import { fill, h, icon } from "./dom.js";
import { become, identity, isSignedIn, onIdentity, signOut } from "./auth.js";
import { findLogin, logIn } from "./login.js";
import { apiKeysOf } from "./security.js";

/** @typedef {import("./spec.js").Spec} Spec */

/** @param {Spec} spec */
export function authBar(spec) {
  const bar = h("div", { class: "auth-bar" });
  const draw = () => fill(bar, isSignedIn() ? signedIn(spec) : signedOut(spec));
  draw();
  onIdentity(bar, draw);
  return bar;
}

/** @param {Spec} spec */
function signedOut(spec) {
  const word = findLogin(spec) ? "Log in" : "Authorize";
  return h("button", { type: "button", class: "primary", onclick: () => openAuthDialog(spec) }, icon("key"), word);
}

/** @param {Spec} spec */
function signedIn(spec) {
  const { name } = identity();
  return [
    h("button", { type: "button", class: "ghost identity", title: "Change", onclick: () => openAuthDialog(spec) },
      h("span", { class: "dot" }), h("span", { class: "identity-name", text: name || "Token set" })),
    h("button", { type: "button", class: "ghost", onclick: signOut }, "Log out"),
  ];
}

/**
 * @param {Spec} spec
 */
export function openAuthDialog(spec) {
  const login = findLogin(spec);
  const close = () => dialog.close();
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "auth-title", onclose: () => dialog.remove() },
    h("div", { class: "dialog-head" },
      h("h2", { id: "auth-title", text: login ? "Log in" : "Authorize" }),
      h("button", { type: "button", class: "ghost small", onclick: close }, "Close")),
    login && loginForm(spec, login, close),
    login && h("p", { class: "divider" }, h("span", { text: "or" })),
    tokenForm(close),
    apiKeysOf(spec).map((key) => apiKeyForm(key, close)),
    h("p", { class: "hint", text: "Kept in this tab only, until you close it or log out." }));
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  document.body.appendChild(dialog);
  dialog.showModal();
  dialog.querySelector("input")?.focus();
}

/**
 * @param {Spec} spec
 * @param {import("./login.js").Login} login
 * @param {() => void} close
 */
function loginForm(spec, login, close) {
  const isEmail = login.nameField === "email";
  const name = h("input", { id: "auth-name", type: isEmail ? "email" : "text", autocomplete: "username", required: true });
  const secret = h("input", { id: "auth-secret", type: "password", autocomplete: "current-password", required: true });
  const failure = h("p", { class: "failure", role: "alert" });
  const button = h("button", { class: "primary wide", text: "Log in" });
  const submit = async (event) => {
    event.preventDefault();
    fill(failure);
    button.disabled = true;
    try {
      become({ token: await logIn(spec, login, name.value.trim(), secret.value), name: name.value.trim() });
      close();
    } catch (error) {
      fill(failure, error.message);
      secret.select();
    } finally {
      button.disabled = false;
    }
  };
  return h("form", { class: "stack", onsubmit: submit, "aria-label": "Log in" },
    field("auth-name", isEmail ? "E-mail" : "User name", name),
    field("auth-secret", "Password", secret),
    failure,
    button);
}

/** @param {() => void} close */
function tokenForm(close) {
  const input = h("input", { id: "auth-token", class: "mono", autocomplete: "off", spellcheck: "false", value: identity().token });
  const submit = (event) => {
    event.preventDefault();
    const token = input.value.trim().replace(/^Bearer\s+/i, "");
    become({ token, name: token ? "Bearer token" : "" });
    close();
  };
  return h("form", { class: "stack", onsubmit: submit, "aria-label": "Bearer token" },
    field("auth-token", "Bearer token", h("div", { class: "input-row" }, input, h("button", { text: "Use" }))));
}

/**
 * @param {{name: string, header: string}} key
 * @param {() => void} close
 */
function apiKeyForm(key, close) {
  const id = `auth-key-${key.header}`;
  const input = h("input", { id, class: "mono", autocomplete: "off", spellcheck: "false", value: identity().apiKeys[key.header] ?? "" });
  const submit = (event) => {
    event.preventDefault();
    const value = input.value.trim();
    become({ apiKeys: { [key.header]: value }, name: value ? "API key" : "" });
    close();
  };
  return h("form", { class: "stack", onsubmit: submit, "aria-label": key.header },
    field(id, `API key (${key.header})`, h("div", { class: "input-row" }, input, h("button", { text: "Use" }))));
}

function field(id, label, control) {
  return h("div", { class: "form-field" }, h("label", { for: id, text: label }), control);
}
