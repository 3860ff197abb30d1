// Reads server-sent events from the pieces of a response as they arrive.

/**
 * @typedef {{kind: "event", event: string, id: string, data: string}
 *   | {kind: "comment", text: string}} StreamItem
 */

/** An unfinished event of more characters than this is dropped. */
const MOST_PENDING = 1_000_000;

/**
 * Returns a function that takes the next piece and returns what it completes.
 *
 * @returns {(piece: string) => StreamItem[]}
 */
export function eventReader() {
  let pending = "";
  return (piece) => {
    pending += piece;
    // A carriage return at the end may be half of a line break.
    const blocks = pending.replace(/\r\n|\r(?!$)/g, "\n").split("\n\n");
    pending = blocks.pop() ?? "";
    if (pending.length > MOST_PENDING) pending = "";
    return blocks.flatMap(readBlock);
  };
}

/**
 * @param {string} block
 * @returns {StreamItem[]}
 */
function readBlock(block) {
  /** @type {StreamItem[]} */
  const items = [];
  const data = [];
  let event = "message";
  let id = "";
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? ["", "", ""];
    if (line.startsWith(":")) items.push({ kind: "comment", text: line.slice(1).trim() });
    else if (field === "data") data.push(value ?? "");
    else if (field === "event") event = value ?? "";
    else if (field === "id") id = value ?? "";
  }
  if (data.length > 0) items.push({ kind: "event", event, id, data: data.join("\n") });
  return items;
}
