// A safe subset of Markdown: headings, paragraphs, lists, fenced code, code
// spans, emphasis and links. Anything else shows as it was written.

import { h } from "./dom.js";

/**
 * @param {string | undefined} text
 * @returns {HTMLElement | null} null when there is nothing to say
 */
export function markdown(text) {
  if (!text || !text.trim()) return null;
  return h("div", { class: "prose" }, parseBlocks(text).map(renderBlock));
}

/** One line of Markdown, without a block around it. @param {string | undefined} text */
export function inlineMarkdown(text) {
  return parseInline((text ?? "").trim()).map(renderInline);
}

/**
 * @typedef {{kind: "heading", text: string}
 *   | {kind: "code", text: string}
 *   | {kind: "list", ordered: boolean, items: string[]}
 *   | {kind: "paragraph", text: string}} Block
 */

const FENCE = /^\s*```/;
const ITEM = /^\s{0,3}(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*?)\s*#*$/;

/**
 * @param {string} text
 * @returns {Block[]}
 */
export function parseBlocks(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  /** @type {Block[]} */
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) {
      at += 1;
    } else if (FENCE.test(line)) {
      let end = at + 1;
      while (end < lines.length && !FENCE.test(lines[end])) end += 1;
      blocks.push({ kind: "code", text: lines.slice(at + 1, end).join("\n") });
      at = end + 1;
    } else if (HEADING.test(line)) {
      blocks.push({ kind: "heading", text: HEADING.exec(line)?.[1] ?? "" });
      at += 1;
    } else if (ITEM.test(line)) {
      const { block, next } = readList(lines, at);
      blocks.push(block);
      at = next;
    } else {
      let end = at + 1;
      while (end < lines.length && isParagraph(lines[end])) end += 1;
      blocks.push({ kind: "paragraph", text: lines.slice(at, end).map((l) => l.trim()).join(" ") });
      at = end;
    }
  }
  return blocks;
}

/** @param {string} line */
function isParagraph(line) {
  return line.trim() !== "" && ![FENCE, HEADING, ITEM].some((mark) => mark.test(line));
}

/**
 * @param {string[]} lines
 * @param {number} start
 * @returns {{block: Block, next: number}}
 */
function readList(lines, start) {
  const ordered = ITEM.exec(lines[start])?.[1] !== undefined;
  const items = [];
  let at = start;
  while (at < lines.length) {
    const item = ITEM.exec(lines[at]);
    if (item) items.push(item[2]);
    else if (/^\s+\S/.test(lines[at]) && items.length > 0) items[items.length - 1] += ` ${lines[at].trim()}`;
    else break;
    at += 1;
  }
  return { block: { kind: "list", ordered, items }, next: at };
}

/** @param {Block} block */
function renderBlock(block) {
  switch (block.kind) {
    case "heading":
      return h("p", { class: "prose-heading" }, inlineMarkdown(block.text));
    case "code":
      return h("pre", { class: "code", tabindex: "0" }, h("code", { text: block.text }));
    case "list":
      return h(block.ordered ? "ol" : "ul", {}, block.items.map((item) => h("li", {}, inlineMarkdown(item))));
    default:
      return h("p", {}, inlineMarkdown(block.text));
  }
}

/**
 * @typedef {{kind: "text" | "code" | "strong" | "em", text: string}
 *   | {kind: "link", text: string, href: string}} Inline
 */

const INLINE = /(`+)(.+?)\1|\*\*(.+?)\*\*|\*([^\s*](?:[^*]*[^\s*])?)\*|\[([^\]]+)\]\(([^()\s]+)\)|<((?:https?|mailto):[^<>\s]+)>/g;

/**
 * @param {string} text
 * @returns {Inline[]}
 */
export function parseInline(text) {
  /** @type {Inline[]} */
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > last) parts.push({ kind: "text", text: text.slice(last, match.index) });
    last = match.index + match[0].length;
    parts.push(readInline(match));
  }
  if (last < text.length) parts.push({ kind: "text", text: text.slice(last) });
  return parts;
}

/**
 * @param {RegExpMatchArray} match
 * @returns {Inline}
 */
function readInline(match) {
  const [whole, , code, strong, em, label, target, bare] = match;
  if (code !== undefined) return { kind: "code", text: code.trim() };
  if (strong !== undefined) return { kind: "strong", text: strong };
  if (em !== undefined) return { kind: "em", text: em };
  const href = target ?? bare;
  if (isSafeLink(href)) return { kind: "link", text: label ?? bare, href };
  return { kind: "text", text: whole };
}

/** Only addresses that cannot run code. @param {string} href */
export function isSafeLink(href) {
  return /^(https?:|mailto:|#|\/(?!\/)|\.{1,2}\/)/i.test(href);
}

/** @param {Inline} part */
function renderInline(part) {
  switch (part.kind) {
    case "code":
      return h("code", { text: part.text });
    case "strong":
      return h("strong", {}, parseInline(part.text).map(renderInline));
    case "em":
      return h("em", { text: part.text });
    case "link":
      return link(part.text, part.href);
    default:
      return part.text;
  }
}

/**
 * @param {string} text
 * @param {string} href
 */
function link(text, href) {
  const outside = /^https?:/i.test(href);
  return h("a", { href, rel: outside ? "noopener noreferrer" : null, target: outside ? "_blank" : null }, inlineMarkdown(text));
}
