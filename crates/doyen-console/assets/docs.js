// The door of the documentation page: reads the document, draws the frame,
// and shows the view that the address names.

import { fill, h } from "./dom.js";
import { loadSpec } from "./load.js";
import { operationPage } from "./operation-page.js";
import { overviewPage } from "./overview-page.js";
import { readRoute } from "./router.js";
import { schemaPage } from "./schema-page.js";
import { socketPage } from "./socket-page.js";
import { sidebar } from "./sidebar.js";
import { authBar } from "./auth-bar.js";
import { menuButton } from "./menu.js";

/** @typedef {import("./spec.js").Spec} Spec */

async function start() {
  const app = /** @type {HTMLElement} */ (document.getElementById("app"));
  try {
    drawFrame(app, await loadSpec());
  } catch (error) {
    fill(app, failure(error));
  }
}

/**
 * @param {HTMLElement} app
 * @param {Spec} spec
 */
function drawFrame(app, spec) {
  const nav = sidebar(spec);
  const main = h("main", { id: "main", class: "main", tabindex: "-1" });
  fill(app,
    h("a", { class: "skip-link", href: "#main", onclick: (event) => focusMain(event, main) }, "Skip to content"),
    h("header", { class: "topbar" },
      menuButton(nav.element),
      h("a", { class: "brand", href: "#/" }, h("img", { src: iconUrl(), alt: "", width: "24", height: "24" }), h("span", { text: spec.title })),
      authBar(spec)),
    nav.element,
    main);
  let first = true;
  const show = () => {
    const page = pageFor(spec);
    fill(main, page.element);
    nav.mark(page.current);
    document.title = page.title === spec.title ? page.title : `${page.title} · ${spec.title}`;
    scrollTo(0, 0);
    if (!first) main.focus({ preventScroll: true });
    first = false;
  };
  addEventListener("hashchange", show);
  show();
}

/** "#main" is not a view, so the jump is done by hand. */
function focusMain(event, main) {
  event.preventDefault();
  main.focus();
}

function iconUrl() {
  return new URL("./icon.svg", import.meta.url).href;
}

/**
 * @param {Spec} spec
 * @returns {{element: Element, title: string, current: string}} `current` is the address to mark in the sidebar
 */
function pageFor(spec) {
  const route = readRoute(location.hash);
  const operation = route.view === "operation" ? spec.byId.get(route.id) : undefined;
  if (route.view === "operation" && operation) return operationPage(spec, operation, route.prefill);
  const socket = route.view === "socket" ? spec.sockets.list.find(({ id }) => id === route.id) : undefined;
  if (socket) return socketPage(spec, socket);
  if (route.view === "schema" && spec.schemaNames.includes(route.name)) return schemaPage(spec, route.name);
  return overviewPage(spec);
}

/** @param {any} error */
function failure(error) {
  return h("div", { class: "boot", role: "alert" },
    h("p", { text: "The documentation cannot be shown." }),
    h("p", { class: "muted", text: error?.message ?? String(error) }),
    h("button", { type: "button", onclick: () => location.reload() }, "Try again"));
}

await start();
