// One topic.

import { get } from "/api.js";
import { to } from "/app.js";
import { card, h, name, replace, table, unasked } from "/dom.js";
import { count, rate, shortTime } from "/format.js";
import { changeTopic, deleteTopic } from "/topic-form.js";

let openChange = () => {};
let openDelete = () => {};

export const heading = (query) => ({
  title: query.name ?? "", crumb: ["topics", "Topics"],
  actions: h("span", { class: "tags" },
    h("a", { class: "button", href: to("messages", { topic: query.name }) }, "Messages"),
    h("a", { class: "button", href: to("send", { topic: query.name }) }, "Send"),
    h("button", { type: "button", disabled: true, "data-key": "change", onclick: () => openChange() }, "Change…"),
    h("button", { type: "button", disabled: true, "data-key": "delete", onclick: () => openDelete() }, "Delete…")),
});

const QUEUES = [
  { head: "Broker", kind: "broker", cell: (q) => name(q.broker) },
  { head: "Queue", kind: "num", cell: (q) => q.queue_id },
  { head: "First offset", kind: "num", cell: (q) => count(q.min) },
  { head: "Next offset", kind: "num", cell: (q) => count(q.max) },
  { head: "Messages", kind: "num", cell: (q) => count(q.max - q.min) },
  { head: "Last message", kind: "nowrap", cell: (q) => shortTime(q.last_update) },
];
const SETTINGS = [
  { head: "Broker", kind: "broker", cell: (b) => name(b.broker) },
  { head: "Address", kind: "nowrap", cell: (b) => name(b.address) },
  { head: "Read queues", kind: "num", cell: (b) => count(b.read_queues) },
  { head: "Write queues", kind: "num", cell: (b) => count(b.write_queues) },
  { head: "Permission", cell: (b) => b.permission },
  { head: "Ordered", cell: (b) => (b.ordered ? "yes" : "no") },
  { head: "Attributes", kind: "name", cell: (b) => name(Object.entries(b.attributes).map(([k, v]) => `${k}=${v}`).join(", ") || "–") },
];
// What name servers know: that is all if no broker responds.
const ROUTE = [
  { head: "Broker", kind: "broker", cell: (b) => name(b.name) },
  { head: "Role", kind: "nowrap", cell: (b) => (b.id === 0 ? "master" : `slave ${b.id}`) },
  { head: "Address", kind: "nowrap", cell: (b) => name(b.address) },
];

export default function page({ root, query, signal, refresh }) {
  const top = h("div");
  const groups = h("div", { class: "body" });
  const queues = h("div");
  const settings = h("div");
  root.append(top, card("Consumer groups", groups), card("Queues", queues), card("Settings", settings));
  return {
    async update() {
      const { details, stats, groups: readers, failed } = await get("topic", { name: query.name }, signal);
      // Those of brokers themselves are theirs to change.
      const may = details.kind === "normal" && details.settings.length > 0;
      openChange = () => changeTopic(query.name, details.settings, refresh);
      openDelete = () => deleteTopic(query.name, stats.messages, readers);
      for (const key of ["change", "delete"]) document.querySelector(`[data-key=${key}]`).disabled = !may;
      const tile = (label, value, unit = "") => h("div", { class: "tile" }, h("dt", null, label), h("dd", null, value, " ", h("small", null, unit)));
      // Without a queue, nobody has said how many messages there are.
      const silent = !stats.queues.length && Object.keys(failed).length > 0;
      replace(top, h("div", { class: "stack" }, unasked(failed),
        h("dl", { class: "tiles" }, tile("Messages kept", silent ? "–" : count(stats.messages)), tile("Stored", silent ? "–" : rate(stats.put_rate), "messages/s"),
          tile("Queues", silent ? "–" : count(stats.queues.length)), tile("Type", details.settings.length ? details.type.toLowerCase() : "–"))));
      replace(groups, readers.length ? h("span", { class: "tags" }, readers.map((g) => h("a", { class: "button", href: to("group", { name: g }) }, name(g))))
        : h("span", { class: "muted" }, silent ? "No broker has said which groups read this topic." : "No consumer group has read this topic."));
      replace(queues, table("Queues", QUEUES, stats.queues, silent ? "No broker has said which queues there are." : undefined));
      replace(settings, details.settings.length ? table("Settings", SETTINGS, details.settings)
        : table("Brokers in the route", ROUTE, details.route, "Name servers name no broker of this topic."));
    },
    stop() {
      openChange = openDelete = () => {};
    },
  };
}
