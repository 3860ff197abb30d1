// A list of messages as they come, of a stream or a socket. It is bounded: the
// oldest message goes when a new one has no place.

import { fill, h } from "./dom.js";
import { jsonView } from "./json-view.js";

/** How many messages stay on the page. */
export const MOST_MESSAGES = 200;

/** How many characters of one message are shown. */
const MOST_SHOWN = 20_000;

/** @typedef {{direction: "in" | "out" | "note", title: string, text?: string}} Message */

const MARKS = { in: "↓", out: "↑", note: "·" };
const WORDS = { in: "Received", out: "Sent", note: "Note" };

/**
 * @param {import("./spec.js").Spec} spec
 * @param {string} label
 */
export function messageLog(spec, label) {
  let total = 0;
  const count = h("span", { class: "muted" });
  const list = h("ol", { class: "message-list", role: "log", tabindex: "0", "aria-label": label });
  const element = h("section", { class: "messages" },
    h("div", { class: "messages-head" }, h("h3", { text: label }), count, h("button", { type: "button", class: "ghost small", onclick: () => clear() }, "Clear")),
    list);
  const draw = () => {
    const gone = total - list.childElementCount;
    fill(count, gone > 0 ? `${total}, the last ${list.childElementCount} are shown` : String(total));
  };
  const clear = () => {
    list.replaceChildren();
    total = 0;
    draw();
  };
  /** @param {Message} message */
  const add = (message) => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    list.append(row(spec, message));
    total += 1;
    while (list.childElementCount > MOST_MESSAGES) list.firstElementChild.remove();
    // Whoever has scrolled up reads, and is not disturbed.
    if (atEnd) list.scrollTop = list.scrollHeight;
    draw();
  };
  draw();
  return { element, add, note: (title) => add({ direction: "note", title }) };
}

/**
 * @param {import("./spec.js").Spec} spec
 * @param {Message} message
 */
function row(spec, { direction, title, text }) {
  return h("li", { class: "message", "data-direction": direction },
    h("p", { class: "message-head" },
      h("span", { class: "message-mark", "aria-hidden": "true", text: MARKS[direction] }),
      h("span", { class: "off-screen", text: `${WORDS[direction]}: ` }),
      h("span", { class: "message-title", text: title }),
      h("time", { class: "muted", text: new Date().toLocaleTimeString() })),
    text !== undefined && jsonView(spec, text.slice(0, MOST_SHOWN), title));
}
