// The topics.

import { to } from "/app.js";
import { attempt, field, h, name, tag } from "/dom.js";
import { count } from "/format.js";
import { listing } from "/listing.js";
import { createTopic } from "/topic-form.js";

export const heading = () => ({
  title: "Topics",
  actions: h("button", { type: "button", onclick: () => attempt(createTopic) }, "New topic…"),
});

const KINDS = [["normal", "of applications"], ["retry", "retries"], ["dead letters", "dead letters"], ["system", "of the system"]];
const PERMISSIONS = { rw: "read, write", r: "read only", w: "write only", "-": "none" };

const COLUMNS = [
  { head: "Topic", kind: "name", cell: (t) => h("a", { href: to("topic", { name: t.name }) }, name(t.name)) },
  { head: "Type", cell: (t) => (t.type ? tag(t.type.toLowerCase()) : "–") },
  { head: "Queues", kind: "num", cell: (t) => count(t.queues) },
  { head: "Permission", kind: "nowrap", cell: (t) => PERMISSIONS[t.permission] ?? name(t.permission ?? "–") },
  { head: "Brokers", kind: "name", cell: (t) => name(t.brokers.join(", ")) },
];

export default function page({ root, query, signal, refresh }) {
  return listing({
    path: "topics", label: "Topics", columns: COLUMNS, query, root, signal, refresh,
    empty: "There are no topics yet. The first message to one creates it.",
    filter: {
      state: { kind: query.kind ?? "normal" },
      element: (state, change) => field("Kind", h("select", { onchange: (event) => change({ kind: event.target.value, offset: 0 }) },
        KINDS.map(([value, text]) => h("option", { value, selected: value === state.kind }, text)))),
    },
  });
}
