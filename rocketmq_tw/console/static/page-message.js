// One message.

import { get } from "/api.js";
import { to } from "/app.js";
import { body } from "/body.js";
import { card, h, name, note, table, tag } from "/dom.js";
import { count, size, time } from "/format.js";

export const heading = (query) => ({ title: query.id ?? "", crumb: ["messages", "Messages"] });

const STATES = { consumed: "ok", filtered: "", waiting: "warn", offline: "bad", broadcasting: "", unknown: "" };
const GROUPS = [
  { head: "Group", kind: "name", cell: (t) => h("a", { href: to("group", { name: t.group }) }, name(t.group)) },
  { head: "State", cell: (t) => tag(t.state, STATES[t.state] ?? "") },
  { head: "Why", kind: "name", cell: (t) => name(t.why || "–") },
];

const pairs = (entries) => h("dl", { class: "pairs" }, entries.map(([key, value]) => [h("dt", null, typeof key === "string" ? name(key) : key), h("dd", null, value)]));

export default function page({ root, query, signal }) {
  return {
    every: 0,
    async update() {
      const { message: m, tracks, untracked } = await get("message", { id: query.id, topic: query.topic }, signal);
      const properties = Object.entries(m.properties).sort(([a], [b]) => (a < b ? -1 : 1));
      root.replaceChildren(
        body(m.body),
        h("div", { class: "two" },
          card("Where and when", h("div", { class: "body" }, pairs([
            ["Topic", h("a", { href: to("topic", { name: m.topic }) }, name(m.topic))],
            ["Queue", name(`${m.broker}/${m.queue_id}`)],
            ["Queue offset", count(m.queue_offset)],
            ["Tag", name(m.tag ?? "–")],
            ["Keys", name(m.keys.join(" ") || "–")],
            ["Stored", time(m.stored, true)],
            ["Born", [time(m.born, true), " at ", name(m.born_host)]],
            ["Failed before", count(m.deliveries)],
            ["Message id", h("span", { class: "mono" }, name(m.message_id))],
            ["Offset id", h("span", { class: "mono" }, name(m.offset_id))],
            ["Commit log", `offset ${count(m.commit_log_offset)}, ${size(m.size)}`],
          ]))),
          card("Properties", properties.length ? h("div", { class: "body" }, pairs(properties.map(([k, v]) => [k, name(v)]))) : h("p", { class: "empty" }, "There are none."))),
        card("Consumer groups", untracked ? h("div", { class: "body" }, note("warning", "It is not known who has consumed it. ", name(untracked)))
          : table("Consumer groups", GROUPS, tracks, "No consumer group reads this topic.")));
    },
  };
}
