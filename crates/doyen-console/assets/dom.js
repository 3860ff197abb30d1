// Building elements. Text always becomes a text node, never markup, so a
// hostile description in the document stays a description.

/** @typedef {Node | string | number | null | undefined | false | any[]} Child what is nested is flattened */

/**
 * Makes an element.
 *
 * `class` and `text` are what they say; a function becomes a listener
 * (`onclick`); `true` an empty attribute; `null`, `undefined` and `false`
 * nothing; any other value an attribute.
 *
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  /** @type {any} */
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = String(value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/**
 * @param {Node} parent
 * @param {any[]} children
 */
export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/**
 * Replaces what an element holds.
 *
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

const SVG = "http://www.w3.org/2000/svg";

/** Outlines on a 16 by 16 grid. */
const ICONS = {
  check: "M3 8.5l3.2 3.2L13 5",
  copy: "M5.5 5.5v-3h8v8h-3 M2.5 5.5h8v8h-8z",
  key: "M9.5 6.5a3 3 0 1 0-3 3 3 3 0 0 0 3-3z M8.6 8.6l5 5 M11.4 11.4l1.6-1.6",
  lock: "M4 7.5h8v6H4z M5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
  menu: "M2.5 4.5h11 M2.5 8h11 M2.5 11.5h11",
  search: "M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0z M10 10l3.5 3.5",
};

/**
 * A decorative icon; the words beside it carry the meaning.
 *
 * @param {keyof ICONS} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.appendChild(path);
  return svg;
}

/**
 * A `<details>` whose content is made when it is first opened. Large
 * documents stay fast and recursive schemas stay finite.
 *
 * @param {{class?: string, open?: boolean}} options
 * @param {Child | Child[]} summary
 * @param {() => Child | Child[]} content
 */
export function lazyDetails(options, summary, content) {
  const details = h("details", { class: options.class }, h("summary", {}, summary));
  let made = false;
  const make = () => {
    if (made) return;
    made = true;
    append(details, [content()]);
  };
  details.addEventListener("toggle", () => details.open && make());
  if (options.open) {
    make();
    details.open = true;
  }
  return details;
}

/**
 * A button that copies a text and says so.
 *
 * @param {() => string} text
 * @param {string} label what is copied, for example "curl command"
 */
export function copyButton(text, label) {
  const word = h("span", { text: "Copy" });
  const button = h("button", {
    type: "button",
    class: "ghost small",
    "aria-label": `Copy ${label}`,
    onclick: async () => {
      const done = await copy(text());
      word.textContent = done ? "Copied" : "Press Ctrl+C";
      setTimeout(() => (word.textContent = "Copy"), 1600);
    },
  });
  append(button, [icon("copy"), word]);
  return button;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/**
 * The clipboard needs a secure context; a plain-HTTP host in a company
 * network has none.
 *
 * @param {string} text
 */
function copyBySelection(text) {
  const area = h("textarea", { class: "off-screen", value: text, "aria-hidden": "true" });
  const host = document.querySelector("dialog[open]") ?? document.body;
  host.appendChild(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
