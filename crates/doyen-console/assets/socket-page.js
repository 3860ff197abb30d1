// One socket: its address, its messages in both directions, and a panel that
// opens it.

import { h } from "./dom.js";
import { markdown } from "./markdown.js";
import { methodTag, pathText, section } from "./parts.js";
import { socketHref } from "./router.js";
import { schemaTree } from "./schema-tree.js";
import { socketPanel } from "./socket-panel.js";

/**
 * @param {import("./spec.js").Spec} spec
 * @param {import("./sockets.js").Socket} socket
 */
export function socketPage(spec, socket) {
  // Its schemas are in a document of their own.
  const own = { ...spec, doc: spec.sockets.doc };
  const element = h("article", { class: "page" },
    h("div", { class: "columns" },
      h("div", { class: "column-text" },
        h("header", { class: "page-head" },
          h("p", { class: "eyebrow", text: "Socket" }),
          h("h1", { text: socket.title }),
          h("p", { class: "endpoint" }, methodTag("WS"), pathText(spec.base + socket.path)),
          socket.protocol && h("p", { class: "access" }, "Subprotocol ", h("code", { class: "scope", text: socket.protocol })),
          markdown(socket.description)),
        section("Messages from the client", schemaTree(own, socket.receives)),
        section("Messages from the server", schemaTree(own, socket.sends))),
      h("aside", { class: "column-try", "aria-label": "Try it" }, socketPanel(spec, socket))));
  return { element, title: socket.title, current: socketHref(socket) };
}
