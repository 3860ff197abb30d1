// One named schema: its tree, an example, and the operations that use it.

import { h } from "./dom.js";
import { exampleOf } from "./example.js";
import { jsonView } from "./json-view.js";
import { markdown } from "./markdown.js";
import { methodTag, pathText, section } from "./parts.js";
import { operationHref, schemaHref } from "./router.js";
import { view } from "./schema.js";
import { schemaTree, typeLink } from "./schema-tree.js";

/**
 * @param {import("./spec.js").Spec} spec
 * @param {string} name
 */
export function schemaPage(spec, name) {
  const raw = { $ref: `#/components/schemas/${name.replaceAll("~", "~0").replaceAll("/", "~1")}` };
  const { schema } = view(spec.doc, raw);
  const example = JSON.stringify(exampleOf(spec.doc, raw)) ?? "null";
  const users = usersOf(spec, raw.$ref);
  const element = h("article", { class: "page" },
    h("div", { class: "columns" },
      h("div", { class: "column-text" },
        h("header", { class: "page-head" },
          h("p", { class: "eyebrow", text: "Schema" }),
          h("h1", { class: "mono-title", text: name }),
          markdown(schema.description)),
        section(schema.properties ? "Fields" : "Value", !schema.properties && typeLink(spec, raw), schemaTree(spec, raw)),
        users.length > 0 && section("Used by", h("ul", { class: "users" }, users.map((operation) => h("li", {},
          h("a", { class: "user-row", href: operationHref(operation) }, methodTag(operation.method), pathText(operation.path))))))),
      h("aside", { class: "column-try", "aria-label": "Example" }, section("Example", jsonView(spec, example, "Example")))));
  return { element, title: name, current: schemaHref(name) };
}

/** Direct uses only, and those one component away. */
function usersOf(spec, ref) {
  const mark = JSON.stringify(ref);
  const wrappers = Object.entries(spec.doc.components?.schemas ?? {})
    .filter(([, schema]) => JSON.stringify(schema).includes(mark))
    .map(([name]) => JSON.stringify(`#/components/schemas/${name}`));
  return spec.operations.filter((operation) => {
    const text = JSON.stringify(operation.raw);
    return [mark, ...wrappers].some((one) => text.includes(one));
  });
}
