// The consumer groups.

import { to } from "/app.js";
import { attempt, h, name, tag } from "/dom.js";
import { count } from "/format.js";
import { createGroup } from "/group-form.js";
import { listing } from "/listing.js";

export const heading = () => ({
  title: "Consumer groups",
  actions: h("button", { type: "button", onclick: () => attempt(createGroup) }, "New group…"),
});

const COLUMNS = [
  { head: "Group", kind: "name", cell: (r) => h("a", { href: to("group", { name: r.group.name }) }, name(r.group.name)) },
  { head: "Lag", kind: "num", cell: (r) => count(r.lag) },
  { head: "May consume", cell: (r) => (r.group.may_consume ? "yes" : tag("no", "warn")) },
  { head: "Ordered", cell: (r) => (r.group.ordered ? "yes" : "no") },
  { head: "Retries", kind: "num", cell: (r) => count(r.group.max_retries) },
  { head: "Brokers", kind: "name", cell: (r) => name(r.group.brokers.join(", ")) },
];

export default function page({ root, query, signal, refresh }) {
  return listing({
    path: "groups", label: "Consumer groups", columns: COLUMNS, query, root, signal, refresh,
    empty: "There are no consumer groups yet. The first consumer of one creates it.",
    filter: {
      state: { system: query.system === "true" ? "true" : null },
      element: (state, change) => h("label", { class: "inline" },
        h("input", { type: "checkbox", checked: state.system === "true", onchange: (event) => change({ system: event.target.checked ? "true" : null, offset: 0 }) }),
        "also those of the system"),
    },
  });
}
