// One consumer group: its lag, its members, and where it continues.

import { get, post } from "/api.js";
import { to } from "/app.js";
import { card, dialog, failures, field, h, name, note, replace, segments, table, tag, toast, unasked, visible } from "/dom.js";
import { compact, count, localInput, plural, rate, shortTime } from "/format.js";
import { changeGroup, deleteGroup } from "/group-form.js";
import { Plot } from "/plot.js";

let openReset = () => {};
let openChange = () => {};
let openDelete = () => {};

export const heading = (query) => ({
  title: query.name ?? "", crumb: ["groups", "Consumer groups"],
  actions: h("span", { class: "tags" },
    h("button", { type: "button", "data-key": "reset", onclick: () => openReset() }, "Reset offsets…"),
    h("button", { type: "button", disabled: true, "data-key": "change", onclick: () => openChange() }, "Change…"),
    h("button", { type: "button", disabled: true, "data-key": "delete", onclick: () => openDelete() }, "Delete…")),
});

const QUEUES = [
  { head: "Topic", kind: "topic", cell: (q) => h("a", { href: to("topic", { name: q.topic }) }, name(q.topic)) },
  { head: "Broker", kind: "broker", cell: (q) => name(q.broker) },
  { head: "Queue", kind: "num", cell: (q) => q.queue_id },
  { head: "Lag", kind: "num", cell: (q) => (q.lag ? h("strong", null, count(q.lag)) : "0") },
  { head: "In flight", kind: "num", cell: (q) => count(q.in_flight) },
  { head: "Committed", kind: "num", cell: (q) => count(q.committed) },
  { head: "Next offset", kind: "num", cell: (q) => count(q.max) },
  { head: "Consumed up to", kind: "nowrap", cell: (q) => shortTime(q.last_consumed) },
];

const members = (group) => [
  { head: "Client", kind: "name", cell: (m) => h("a", { href: to("client", { group, id: m.client_id }) }, name(m.client_id)) },
  { head: "Address", kind: "nowrap", cell: (m) => name(m.address) },
  { head: "Program", kind: "nowrap", cell: (m) => name(`${m.language} ${m.version}`) },
  { head: "Mode", kind: "nowrap", cell: (m) => name(`${m.mode}, ${m.model}`) },
  { head: "Subscriptions", kind: "name", cell: (m) => [name(m.subscriptions.map((x) => `${x.topic} ${x.expression}`).join("; ") || "–"), m.conflicts ? [" ", tag("conflict", "bad")] : null] },
];

// -- resetting

const PLAN = [
  { head: "Broker", kind: "broker", cell: (q) => name(q.broker) },
  { head: "Queue", kind: "num", cell: (q) => q.queue_id },
  { head: "Now", kind: "num", cell: (q) => count(q.now) },
  { head: "Then", kind: "num", cell: (q) => count(q.target) },
  { head: "Skipped", kind: "num", cell: (q) => count(q.skipped) },
  { head: "Again", kind: "num", cell: (q) => count(q.again) },
];

function meaning(plan) {
  const parts = [];
  if (plan.again) parts.push(`${plural(plan.again, "message")} will be consumed again`);
  if (plan.skipped) parts.push(`${plural(plan.skipped, "message")} will never be consumed`);
  if (!parts.length) return note("good", "Nothing changes. ", "Every queue continues where it is.");
  const online = plan.online ? ` ${plural(plan.online, "member is", "members are")} connected, and will change at once.` : " No member is connected; the group continues there when one is.";
  return note("warning", `${parts.join(", and ")}. `, online);
}

function reset(group, topics, done) {
  let plan = null;
  let way = "earliest";
  const when = h("input", { type: "datetime-local", step: 1, value: localInput(Date.now() - 3600_000), "aria-label": "Time" });
  const topic = h("select", { onchange: () => clear() }, topics.map((t) => h("option", { value: t }, visible(t))));
  const result = h("div", { "aria-live": "polite", class: "stack" });
  const apply = h("button", { type: "button", class: "danger", disabled: true, onclick: () => run() }, "Reset offsets");
  const clear = () => {
    plan = null;
    apply.disabled = true;
    result.replaceChildren();
    when.classList.toggle("hidden", way !== "time");
  };
  const fail = (error) => result.replaceChildren(note("error", visible(error.message)));
  const preview = async () => {
    clear();
    try {
      const target = way === "time" ? new Date(when.value).toISOString() : way;
      plan = await post("group/plan-reset", { group, topic: topic.value, to: target });
      result.replaceChildren(...[unasked(plan.failed), meaning(plan), table("What a reset would do", PLAN, plan.queues)].filter(Boolean));
      apply.disabled = !(plan.again || plan.skipped);
    } catch (error) {
      fail(error instanceof RangeError ? new Error("Enter a time first.") : error);
    }
  };
  const run = async () => {
    apply.disabled = true;
    try {
      const found = await post("group/reset", plan);
      if (Object.keys(found.failed).length) {
        result.replaceChildren(failures(found.failed, "Some queues were not reset."));
        return;
      }
      box.close();
      toast(`${group}: ${plural(found.queues.length, "queue")} reset`);
      done();
    } catch (error) {
      fail(error);
    }
  };
  when.addEventListener("input", clear);
  const box = dialog("Reset offsets", [
    h("p", { class: "muted" }, "Choose where the group continues, and look at what that means. Nothing changes before you confirm."),
    h("div", { class: "fields" }, field("Topic", topic, true),
      segments("Continue at", "to", [["earliest", "Oldest"], ["latest", "Newest"], ["time", "A time"]], way, (value) => { way = value; clear(); }),
      when),
    result,
  ], [h("button", { type: "button", onclick: preview }, "Preview"), apply]);
  clear();
}

export default function page({ root, query, signal, refresh }) {
  const group = query.name;
  let topics = [];
  const top = h("div");
  const plot = new Plot("Messages not consumed");
  const connected = h("div");
  const queues = h("div");
  root.append(top, card("Lag", h("div", { class: "body" }, plot.element)), card("Members", connected), card("Queues", queues));
  openReset = () => reset(group, topics, refresh);
  return {
    async update() {
      const [found, history] = await Promise.all([get("group", { name: group }, signal), get("history", { group }, signal)]);
      const { details, lag, failed } = found;
      topics = [...new Set([...details.topics, ...lag.queues.map((q) => q.topic)])].filter((t) => !t.startsWith("%RETRY%"));
      document.querySelector("[data-key=reset]").disabled = !topics.length;
      openChange = () => changeGroup(group, details.settings, refresh);
      openDelete = () => deleteGroup(group, found.members.length);
      for (const key of ["change", "delete"]) document.querySelector(`[data-key=${key}]`).disabled = !details.settings.length;
      const tile = (label, value, unit = "") => h("div", { class: "tile" }, h("dt", null, label), h("dd", null, value, " ", h("small", null, unit)));
      const may = details.settings.every((each) => each.may_consume);
      // Without settings, no broker has said that there is such a group.
      const silent = !details.settings.length;
      replace(top, h("div", { class: "stack" }, unasked(failed),
        silent && !Object.keys(failed).length ? note("warning", "No broker is registered. ", "What they know of this group is missing.") : null,
        may ? null : note("warning", "This group may not consume. ", "A broker's settings forbid it."),
        h("dl", { class: "tiles" }, tile("Lag", silent ? "–" : compact(lag.total), "messages"), tile("In flight", silent ? "–" : compact(lag.in_flight), "messages"),
          tile("Consumed", silent ? "–" : rate(lag.rate), "messages/s"), tile("Members", silent ? "–" : count(found.members.length), "connected"))));
      plot.show(history.lags.map((line) => ({ ...line, label: "not consumed" })));
      replace(connected, table("Members", members(group), found.members, silent ? "No broker has said who is connected." : "No member is connected."));
      replace(queues, table("Queues", QUEUES, lag.queues, silent ? "No broker has said how far this group has read." : "This group has committed no offsets yet."));
    },
    stop() {
      openReset = openChange = openDelete = () => {};
    },
  };
}
