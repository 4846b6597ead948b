// The cluster at a glance.

import { get } from "/api.js";
import { card, h, name, note, replace, s, table, tag } from "/dom.js";
import { compact, count, duration, plural, rate, shortTime, since, size } from "/format.js";
import { Plot } from "/plot.js";

export const heading = () => ({ title: "Cluster" });

const sum = (rows, field) => rows.reduce((total, row) => total + row[field], 0);

function disk(used) {
  if (used === null) return "–";
  const kind = used >= 0.9 ? "bad" : used >= 0.75 ? "warn" : "c1";
  return [h("span", { class: "bar", "aria-hidden": "true" },
    s("svg", { width: 64, height: 6 }, s("rect", { class: kind, width: 64 * Math.min(1, used), height: 6 }))), `${Math.round(used * 100)} %`];
}

function state(broker) {
  // Brokers of 4.x do not say whether they act, and cannot.
  if (broker.id !== 0) return broker.is_active && !broker.version.startsWith("V4_") ? tag("acts as master", "warn") : tag("follows", "ok");
  if (broker.is_writable === false) return tag("takes no messages", "bad");
  return broker.is_active ? tag("well", "ok") : tag("waits", "warn");
}

const COLUMNS = [
  { head: "Broker", kind: "broker", cell: (b) => name(b.name) },
  { head: "Role", kind: "nowrap", cell: (b) => (b.id === 0 ? "master" : `slave ${b.id}`) },
  { head: "State", cell: state },
  { head: "Cluster", kind: "name", cell: (b) => name(b.cluster) },
  { head: "Address", kind: "nowrap", cell: (b) => name(b.address) },
  { head: "In /s", kind: "num", cell: (b) => rate(b.in_rate) },
  { head: "Out /s", kind: "num", cell: (b) => rate(b.out_rate) },
  { head: "In today", kind: "num", cell: (b) => compact(b.in_today) },
  { head: "Yesterday", kind: "num", cell: (b) => compact(b.in_yesterday) },
  { head: "Out today", kind: "num", cell: (b) => compact(b.out_today) },
  { head: "Log", kind: "num", cell: (b) => size(b.commit_log_max - b.commit_log_min) },
  { head: "Disk", kind: "num", cell: (b) => disk(b.disk_used) },
  { head: "Oldest", kind: "nowrap", cell: (b) => shortTime(b.earliest_message_time) },
  { head: "Timed", kind: "num", cell: (b) => (b.timer_behind >= 1 ? `${count(b.timer_waiting)}, ${duration(b.timer_behind)} late` : count(b.timer_waiting)) },
  { head: "Runs", kind: "nowrap", cell: (b) => since(b.started) },
  { head: "Version", kind: "nowrap", cell: (b) => name(b.version) },
];

function health({ status, problems }) {
  const what = `${plural(status.name_servers.length, "name server")}, ${plural(status.brokers.length, "broker")}`;
  if (!problems.length) return note("good", "All is well. ", h("span", { class: "muted" }, what));
  const worst = problems[0].severity;
  return note(worst, `${plural(problems.length, "thing needs", "things need")} attention. `, h("span", null, what),
    h("ul", null, problems.map((p) => h("li", null, name(p.subject), ": ", name(p.sentence)))));
}

function tiles(brokers) {
  const masters = brokers.filter((b) => b.id === 0);
  const used = Math.max(...brokers.map((b) => b.disk_used ?? 0), 0);
  const tile = (label, value, unit) => h("div", { class: "tile" }, h("dt", null, label), h("dd", null, value, " ", h("small", null, unit)));
  return h("dl", { class: "tiles" },
    tile("Stored", rate(sum(masters, "in_rate")), "messages/s"),
    tile("Delivered", rate(sum(brokers, "out_rate")), "messages/s"),
    tile("Stored today", compact(sum(masters, "in_today")), `yesterday ${compact(sum(masters, "in_yesterday"))}`),
    tile("Delivered today", compact(sum(brokers, "out_today")), `yesterday ${compact(sum(brokers, "out_yesterday"))}`),
    tile("Fullest disk", `${Math.round(used * 100)} %`, "used"));
}

export default function page({ root, signal }) {
  const top = h("div");
  const numbers = h("div");
  const rates = new Plot("Messages per second", rate);
  const lags = new Plot("Messages that groups have not consumed");
  const brokers = h("div");
  const servers = h("div");
  root.append(top, numbers,
    h("div", { class: "two" }, card("Messages per second", h("div", { class: "body" }, rates.element)),
      card("Lag of groups", h("div", { class: "body" }, lags.element))),
    card("Brokers", brokers), card("Name servers", servers));
  const LABEL = { in: "stored", out: "delivered" };
  return {
    async update() {
      const [overview, history] = await Promise.all([get("cluster", {}, signal), get("history", {}, signal)]);
      const { status } = overview;
      replace(top, health(overview));
      replace(numbers, tiles(status.brokers));
      rates.show(history.rates.map((line) => ({ ...line, label: LABEL[line.name] })));
      lags.show(history.lags);
      replace(brokers, table("Brokers", COLUMNS, status.brokers, "No broker is registered."));
      replace(servers, table("Name servers", [
        { head: "Address", kind: "name", cell: (n) => name(n.address) },
        { head: "State", cell: (n) => (n.responds ? tag("responds", "ok") : tag("does not respond", "bad")) },
        { head: "Brokers", kind: "num", cell: (n) => count(n.brokers) },
        { head: "Why", kind: "name", cell: (n) => name(n.why || "–") },
      ], status.name_servers));
    },
  };
}
