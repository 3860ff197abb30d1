// Reads an OpenAPI 3.1 document into what the page shows: tags with their
// operations. The parts of one operation are read only when it is opened.

/**
 * @typedef {object} Operation
 * @property {string} id        unique on this page, used in its address
 * @property {string} method    upper case
 * @property {string} path      the template, for example `/v1/tickets/{id}`
 * @property {string} tag
 * @property {string} summary
 * @property {string} description
 * @property {boolean} deprecated
 * @property {any} raw          the operation object of the document
 * @property {any} pathItem
 *
 * @typedef {{name: string, description: string, operations: Operation[]}} Tag
 *
 * @typedef {object} Spec
 * @property {any} doc
 * @property {string} title
 * @property {string} version
 * @property {string} description
 * @property {Tag[]} tags
 * @property {Operation[]} operations
 * @property {Map<string, Operation>} byId
 * @property {string[]} schemaNames
 * @property {import("./sockets.js").Sockets} sockets
 * @property {string} base      what stands before every path, without a slash at its end
 *
 * @typedef {{name: string, in: string, required: boolean, description: string, deprecated: boolean,
 *   schema: any, example: any, style: string, explode: boolean}} Parameter
 */

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];

/**
 * @param {any} doc
 * @param {string} documentUrl absolute
 * @returns {Spec}
 */
export function readSpec(doc, documentUrl) {
  const operations = readOperations(doc);
  return {
    doc,
    title: doc.info?.title ?? "API",
    version: doc.info?.version ?? "",
    description: doc.info?.description ?? doc.info?.summary ?? "",
    tags: groupByTag(doc, operations),
    operations,
    byId: new Map(operations.map((operation) => [operation.id, operation])),
    schemaNames: Object.keys(doc.components?.schemas ?? {}),
    sockets: { doc: {}, list: [], tokens: "" },
    base: readBase(doc, documentUrl),
  };
}

/**
 * @param {any} doc
 * @returns {Operation[]}
 */
function readOperations(doc) {
  const operations = [];
  const seen = new Set();
  for (const [path, rawItem] of Object.entries(doc.paths ?? {})) {
    const pathItem = resolveRef(doc, rawItem);
    for (const method of METHODS) {
      const raw = pathItem?.[method];
      if (!raw || typeof raw !== "object") continue;
      const operation = readOperation(path, method, raw, pathItem);
      while (seen.has(operation.id)) operation.id += "_";
      seen.add(operation.id);
      operations.push(operation);
    }
  }
  return operations;
}

/**
 * @param {string} path
 * @param {string} method
 * @param {any} raw
 * @param {any} pathItem
 * @returns {Operation}
 */
function readOperation(path, method, raw, pathItem) {
  return {
    id: raw.operationId ?? `${method}${path}`.replace(/[^A-Za-z0-9]+/g, "_").replace(/_+$/, ""),
    method: method.toUpperCase(),
    path,
    tag: raw.tags?.[0] ?? "",
    summary: raw.summary ?? `${method.toUpperCase()} ${path}`,
    description: raw.description ?? "",
    deprecated: raw.deprecated === true,
    raw,
    pathItem,
  };
}

/**
 * Tags stand in the document's order; those that it does not declare follow.
 *
 * @param {any} doc
 * @param {Operation[]} operations
 * @returns {Tag[]}
 */
function groupByTag(doc, operations) {
  /** @type {Map<string, Tag>} */
  const tags = new Map();
  for (const tag of doc.tags ?? []) {
    tags.set(tag.name, { name: tag.name, description: tag.description ?? "", operations: [] });
  }
  for (const operation of operations) {
    const name = operation.tag || "other";
    if (!tags.has(name)) tags.set(name, { name, description: "", operations: [] });
    tags.get(name)?.operations.push(operation);
  }
  return [...tags.values()].filter((tag) => tag.operations.length > 0);
}

/**
 * The page may only talk to its own origin, so a server elsewhere lends its
 * path but not its host.
 *
 * @param {any} doc
 * @param {string} documentUrl
 */
function readBase(doc, documentUrl) {
  const url = doc.servers?.[0]?.url;
  if (!url || url.includes("{")) return "";
  try {
    return new URL(url, documentUrl).pathname.replace(/\/+$/, "");
  } catch {
    return "";
  }
}

/**
 * Follows `$ref` inside the document. What stands beside a `$ref` wins.
 *
 * @param {any} doc
 * @param {any} node
 * @returns {any}
 */
export function resolveRef(doc, node) {
  const seen = new Set();
  let current = node;
  let beside = {};
  while (current && typeof current === "object" && typeof current.$ref === "string") {
    if (seen.has(current.$ref)) return beside;
    seen.add(current.$ref);
    const { $ref, ...rest } = current;
    beside = { ...rest, ...beside };
    current = pointer(doc, $ref);
  }
  if (current === true || current === undefined) return beside;
  if (typeof current !== "object" || current === null) return current;
  return { ...current, ...beside };
}

/**
 * @param {any} doc
 * @param {string} ref
 */
function pointer(doc, ref) {
  if (!ref.startsWith("#")) return undefined;
  let node = doc;
  for (const part of ref.slice(1).split("/").slice(1)) {
    node = node?.[decodeURIComponent(part).replace(/~1/g, "/").replace(/~0/g, "~")];
  }
  return node;
}

/** The last word of a reference. @param {string} ref */
export function refName(ref) {
  return decodeURIComponent(ref.slice(ref.lastIndexOf("/") + 1));
}

/** OpenAPI gives these header names no meaning as parameters. */
const IGNORED_HEADERS = new Set(["accept", "content-type", "authorization"]);

/**
 * The parameters of an operation; its own replace those of its path.
 *
 * @param {Spec} spec
 * @param {Operation} operation
 * @returns {Parameter[]}
 */
export function parametersOf(spec, operation) {
  const found = new Map();
  for (const raw of [...(operation.pathItem.parameters ?? []), ...(operation.raw.parameters ?? [])]) {
    const parameter = readParameter(resolveRef(spec.doc, raw));
    if (parameter.in === "header" && IGNORED_HEADERS.has(parameter.name.toLowerCase())) continue;
    found.set(`${parameter.in} ${parameter.name}`, parameter);
  }
  const order = ["path", "query", "header", "cookie"];
  return [...found.values()].sort((a, b) => order.indexOf(a.in) - order.indexOf(b.in));
}

/**
 * @param {any} raw
 * @returns {Parameter}
 */
function readParameter(raw) {
  const content = Object.values(raw.content ?? {})[0];
  const style = raw.style ?? (raw.in === "query" || raw.in === "cookie" ? "form" : "simple");
  return {
    name: raw.name ?? "",
    in: raw.in ?? "query",
    required: raw.required === true,
    description: raw.description ?? "",
    deprecated: raw.deprecated === true,
    schema: raw.schema ?? content?.schema ?? {},
    example: raw.example ?? firstExample(raw.examples) ?? content?.example,
    style,
    explode: raw.explode ?? style === "form",
  };
}

/** @param {Record<string, any> | undefined} examples */
function firstExample(examples) {
  return Object.values(examples ?? {})[0]?.value;
}

/**
 * The media types of a body with its schema and named examples.
 *
 * @param {Spec} spec
 * @param {any} content
 * @returns {{mediaType: string, schema: any, examples: {name: string, value: any}[]}[]}
 */
export function contentOf(spec, content) {
  return Object.entries(content ?? {}).map(([mediaType, media]) => ({
    mediaType,
    schema: media.schema,
    examples: examplesOf(spec, media),
  }));
}

/**
 * @param {Spec} spec
 * @param {any} media
 */
function examplesOf(spec, media) {
  const named = Object.entries(media.examples ?? {}).map(([name, raw]) => {
    const example = resolveRef(spec.doc, raw);
    return { name: example.summary ?? name, value: example.value };
  });
  if (media.example !== undefined) named.unshift({ name: "Example", value: media.example });
  return named.filter((example) => example.value !== undefined);
}
