// One consumer, and what it says of itself.

import { get } from "/api.js";
import { to } from "/app.js";
import { card, h, name, replace, table, visible } from "/dom.js";
import { count, rate, shortTime, since, size } from "/format.js";

export const heading = (query) => ({ title: query.id ?? "", crumb: ["clients", "Clients"] });

const QUEUES = [
  { head: "Topic", kind: "topic", cell: (q) => h("a", { href: to("topic", { name: q.topic }) }, name(q.topic)) },
  { head: "Broker", kind: "broker", cell: (q) => name(q.broker) },
  { head: "Queue", kind: "num", cell: (q) => q.queue_id },
  { head: "Committed", kind: "num", cell: (q) => count(q.committed) },
  { head: "Fetched, not consumed", kind: "num", cell: (q) => count(q.cached) },
  { head: "That is", kind: "num", cell: (q) => size(q.cached_size) },
  { head: "Locked", cell: (q) => (q.locked ? "yes" : "no") },
  { head: "Last pull", kind: "nowrap", cell: (q) => shortTime(q.last_pull) },
  { head: "Last consumed", kind: "nowrap", cell: (q) => shortTime(q.last_consumed) },
];
const MODES = { CONSUME_PASSIVELY: "push", CONSUME_ACTIVELY: "pull", CONSUME_POP: "pop" };
const ms = (seconds) => `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
const TOPICS = [
  { head: "Topic", kind: "name", cell: (t) => name(t.topic) },
  { head: "Consumed /s", kind: "num", cell: (t) => rate(t.ok_rate) },
  { head: "Failed /s", kind: "num", cell: (t) => rate(t.failed_rate) },
  { head: "Failed in an hour", kind: "num", cell: (t) => count(t.failures) },
  { head: "Handler takes", kind: "num", cell: (t) => ms(t.consume_time) },
  { head: "Pulled /s", kind: "num", cell: (t) => rate(t.pull_rate) },
  { head: "A pull takes", kind: "num", cell: (t) => ms(t.pull_time) },
];

export default function page({ root, query, signal }) {
  const top = h("div");
  const topics = h("div");
  const queues = h("div");
  const subscriptions = h("div");
  root.append(top, card("Topics", topics), card("Queues", queues), card("Subscriptions", subscriptions));
  return {
    async update() {
      const info = await get("client", { group: query.group, id: query.id }, signal);
      const tile = (label, value) => h("div", { class: "tile" }, h("dt", null, label), h("dd", null, value));
      replace(top, h("dl", { class: "tiles" },
        tile("Group", h("a", { href: to("group", { name: info.group }) }, name(info.group))), tile("Runs", since(info.started)),
        tile("Mode", `${MODES[info.mode] ?? visible(info.mode)}${info.ordered ? ", in order" : ""}`), tile("Version", name(info.version))));
      replace(topics, table("Topics", TOPICS, info.topics, "It has consumed nothing yet."));
      replace(queues, table("Queues", QUEUES, info.queues, "It reads no queue now."));
      replace(subscriptions, table("Subscriptions", [
        { head: "Topic", kind: "name", cell: (x) => name(x.topic) },
        { head: "Expression", kind: "name", cell: (x) => name(x.expression) },
        { head: "Kind", cell: (x) => name(x.type) },
      ], info.subscriptions));
    },
  };
}
