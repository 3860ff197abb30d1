// Reads JSON as tokens, so that a body shows exactly what the server sent.
// `JSON.parse` would round the large numbers.

/** @typedef {{kind: "key" | "string" | "number" | "word" | "mark" | "space", text: string, value?: string}} Token */

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:]/g;

/**
 * The tokens of a JSON text with fresh indentation, or null when it is not JSON.
 *
 * @param {string} text
 * @returns {Token[] | null}
 */
export function prettyTokens(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return indent(text.match(TOKEN) ?? []);
}

/** The text with fresh indentation; unchanged when it is not JSON. @param {string} text */
export function prettyText(text) {
  return prettyTokens(text)?.map((token) => token.text).join("") ?? text;
}

/**
 * @param {string[]} marks
 * @returns {Token[]}
 */
function indent(marks) {
  /** @type {Token[]} */
  const out = [];
  let depth = 0;
  const line = () => out.push({ kind: "space", text: `\n${"  ".repeat(depth)}` });
  marks.forEach((mark, at) => {
    const closes = mark === "}" || mark === "]";
    const empty = closes && "{[".includes(marks[at - 1] ?? " ");
    if (closes) {
      depth -= 1;
      if (!empty) line();
    }
    out.push(token(mark, marks[at + 1]));
    if (mark === ":") out.push({ kind: "space", text: " " });
    if (mark === ",") line();
    if (mark === "{" || mark === "[") {
      depth += 1;
      if (!"}]".includes(marks[at + 1] ?? " ")) line();
    }
  });
  return out;
}

/**
 * @param {string} mark
 * @param {string | undefined} next
 * @returns {Token}
 */
function token(mark, next) {
  if (mark.startsWith('"')) return { kind: next === ":" ? "key" : "string", text: mark, value: JSON.parse(mark) };
  if (/^[-\d]/.test(mark)) return { kind: "number", text: mark };
  return { kind: /^[a-z]/.test(mark) ? "word" : "mark", text: mark };
}
