// One consumer group: its lag, its members.

import { get } from "/api.js";
import { to } from "/app.js";
import { card, failures, h, name, note, replace, table, tag } from "/dom.js";
import { compact, count, rate, shortTime } from "/format.js";
import { Plot } from "/plot.js";

export const heading = (query) => ({
  title: query.name ?? "", crumb: ["groups", "Consumer groups"],
});

const QUEUES = [
  { head: "Topic", kind: "name", cell: (q) => h("a", { href: to("topic", { name: q.topic }) }, name(q.topic)) },
  { head: "Broker", kind: "name", cell: (q) => name(q.broker) },
  { head: "Queue", kind: "num", cell: (q) => q.queue_id },
  { head: "Lag", kind: "num", cell: (q) => (q.lag ? h("strong", null, count(q.lag)) : "0") },
  { head: "In flight", kind: "num", cell: (q) => count(q.in_flight) },
  { head: "Committed", kind: "num", cell: (q) => count(q.committed) },
  { head: "Next offset", kind: "num", cell: (q) => count(q.max) },
  { head: "Consumed up to", kind: "nowrap", cell: (q) => shortTime(q.last_consumed) },
  { head: "Read by", kind: "name", cell: (q) => name(q.owner ?? "–") },
];

const MEMBERS = [
  { head: "Client", kind: "name", cell: (m) => name(m.client_id) },
  { head: "Address", kind: "nowrap", cell: (m) => name(m.address) },
  { head: "Program", kind: "nowrap", cell: (m) => name(`${m.language} ${m.version}`) },
  { head: "Mode", kind: "nowrap", cell: (m) => name(`${m.mode}, ${m.model}`) },
  { head: "Subscriptions", kind: "name", cell: (m) => [name(m.subscriptions.map((x) => `${x.topic} ${x.expression}`).join("; ") || "–"), m.conflicts ? [" ", tag("conflict", "bad")] : null] },
];

export default function page({ root, query, signal }) {
  const group = query.name;
  const top = h("div");
  const plot = new Plot("Messages not consumed");
  const connected = h("div");
  const queues = h("div");
  root.append(top, card("Lag", h("div", { class: "body" }, plot.element)), card("Members", connected), card("Queues", queues));
  return {
    async update() {
      const [found, history] = await Promise.all([get("group", { name: group }, signal), get("history", { group }, signal)]);
      const { details, lag } = found;
      const tile = (label, value, unit = "") => h("div", { class: "tile" }, h("dt", null, label), h("dd", null, value, " ", h("small", null, unit)));
      const may = details.settings.every((each) => each.may_consume);
      replace(top, h("div", { class: "stack" }, failures({ ...details.failed, ...lag.failed }),
        may ? null : note("warning", "This group may not consume. ", "A broker's settings forbid it."),
        h("dl", { class: "tiles" }, tile("Lag", compact(lag.total), "messages"), tile("In flight", compact(lag.in_flight), "messages"),
          tile("Consumed", rate(lag.rate), "messages/s"), tile("Members", count(found.members.length), "connected"))));
      plot.show(history.lags.map((line) => ({ ...line, label: "not consumed" })));
      replace(connected, table("Members", MEMBERS, found.members, "No member is connected."));
      replace(queues, table("Queues", QUEUES, lag.queues, "This group has committed no offsets yet."));
    },
  };
}
