// On a narrow screen the sidebar is a drawer behind this button.

import { h, icon } from "./dom.js";

/** @param {HTMLElement} drawer */
export function menuButton(drawer) {
  const button = h("button", {
    type: "button", class: "ghost menu-button", "aria-expanded": "false", "aria-controls": drawer.id, "aria-label": "Menu",
    onclick: () => toggle(!drawer.classList.contains("open")),
  }, icon("menu"));
  const toggle = (open) => {
    drawer.classList.toggle("open", open);
    document.body.classList.toggle("drawer-open", open);
    button.setAttribute("aria-expanded", String(open));
    if (open) drawer.querySelector("input")?.focus();
  };
  addEventListener("hashchange", () => toggle(false));
  drawer.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a")) toggle(false);
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !drawer.classList.contains("open")) return;
    toggle(false);
    button.focus();
  });
  return button;
}
