// What the page remembers between operations, so that the next request needs
// less typing: identifiers by the path they stand in, entity tags by address.

/** @type {Map<string, string>} */
const identifiers = new Map();

/** @type {Map<string, string>} */
const tags = new Map();

/** `/v1/tickets/{id}/close` and `id` give `/v1/tickets/{id}`: the same ticket everywhere. */
function keyOf(path, name) {
  const mark = `{${name}}`;
  return path.slice(0, path.indexOf(mark) + mark.length);
}

/**
 * @param {string} path the template
 * @param {string} name
 */
export function recallIdentifier(path, name) {
  return identifiers.get(keyOf(path, name)) ?? "";
}

/**
 * @param {string} path the template
 * @param {string} name
 * @param {string} value
 */
export function rememberIdentifier(path, name, value) {
  if (value) identifiers.set(keyOf(path, name), value);
}

/** @param {string} url */
export function recallTag(url) {
  return tags.get(pathOf(url)) ?? "";
}

/**
 * @param {string} url
 * @param {string | undefined} tag
 */
export function rememberTag(url, tag) {
  if (tag) tags.set(pathOf(url), tag);
}

/** @param {string} url */
function pathOf(url) {
  return url.split("?")[0];
}
