// Who the page speaks as. Kept in the tab's session storage: another tab or
// the next day starts signed out.

/**
 * @typedef {object} Identity
 * @property {string} token                    a bearer token, or empty
 * @property {string} name                     what to call the caller
 * @property {Record<string, string>} apiKeys  header name to key
 */

const STORE = "doyen-docs-identity";

/** @type {Identity} */
const nobody = { token: "", name: "", apiKeys: {} };

/** @type {Identity} */
let current = load();

/** @type {Set<() => void>} */
const listeners = new Set();

/** @returns {Identity} */
function load() {
  try {
    return { ...nobody, ...JSON.parse(sessionStorage.getItem(STORE) ?? "{}") };
  } catch {
    return nobody;
  }
}

export function identity() {
  return current;
}

export function isSignedIn() {
  return current.token !== "" || Object.values(current.apiKeys).some(Boolean);
}

/**
 * One identity replaces the other: a request that carries both a token and a
 * key would leave the server to guess who is meant.
 *
 * @param {Partial<Identity>} identity
 */
export function become(identity) {
  current = { ...nobody, ...identity };
  save();
}

export function signOut() {
  current = nobody;
  save();
}

function save() {
  try {
    sessionStorage.setItem(STORE, JSON.stringify(current));
  } catch {
    // Storage may be switched off; the page still knows it until it is reloaded.
  }
  for (const listener of listeners) listener();
}

/**
 * Calls `listener` after each change for as long as `element` is on the page.
 *
 * @param {Element} element
 * @param {() => void} listener
 */
export function onIdentity(element, listener) {
  const guarded = () => (element.isConnected ? listener() : listeners.delete(guarded));
  listeners.add(guarded);
}

/**
 * The headers that say who is calling. A header that the reader typed wins.
 *
 * @param {import("./security.js").Access} access
 * @returns {[string, string][]}
 */
export function identityHeaders(access) {
  if (access.public && !access.optional) return [];
  /** @type {[string, string][]} */
  const headers = Object.entries(current.apiKeys).filter(([, key]) => key !== "");
  if (current.token) headers.push(["Authorization", `Bearer ${current.token}`]);
  return headers;
}
