// Parts of the page.

export const find = (id) => document.getElementById(id);
export const show = (id, content) => find(id).replaceChildren(...[content].flat());

// Texts become text nodes, so that no value is markup.
export function element(name, content, kind) {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.append(...[content].flat().map((part) => part ?? ""));
  return made;
}

export function table(head, rows, numbers) {
  const kind = (column) => (numbers.includes(column) ? "number" : "");
  const made = element("table", []);
  const line = (cells, cell) =>
    element("tr", cells.map((content, column) => element(cell, content, kind(column))));
  made.append(element("thead", line(head, "th")));
  made.append(element("tbody", rows.map((row) => line(row, "td"))));
  return made;
}

export const seconds = (value) =>
  value === null ? "" : value < 1 ? `${(value * 1000).toPrecision(3)} ms` : `${value.toPrecision(3)} s`;
