// Messages in a table.

import { to } from "/app.js";
import { h, name, visible } from "/dom.js";
import { count, shortTime, size } from "/format.js";

const address = (m) => to("message", { id: m.offset_id, topic: m.topic });

export const preview = (m) => h("div", { class: m.is_text ? "preview" : "preview muted", title: m.is_text ? null : "not text: hexadecimal" }, h("bdi", null, visible(m.preview)));

export const TIME = { head: "Stored", kind: "nowrap", cell: (m) => h("a", { href: address(m) }, shortTime(m.stored)) };
export const BODY = { head: "Body", kind: "name", cell: preview };
export const REST = [
  { head: "Tag", kind: "nowrap", cell: (m) => name(m.tag ?? "–") },
  { head: "Keys", kind: "name", cell: (m) => name(m.keys.join(" ") || "–") },
  { head: "Queue", kind: "nowrap", cell: (m) => name(`${m.broker}/${m.queue_id}`) },
  { head: "Offset", kind: "num", cell: (m) => count(m.queue_offset) },
  { head: "Size", kind: "num", cell: (m) => size(m.size) },
];
export const COLUMNS = [TIME, BODY, ...REST];
