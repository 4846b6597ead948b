// Messages of a topic: from a time on, with a key, by id, or as they come.

import { get } from "/api.js";
import { setQuery, to } from "/app.js";
import { field, h, note, replace, segments, table, unasked, visible } from "/dom.js";
import { localInput, plural, time } from "/format.js";
import { follow } from "/live-tail.js";
import { COLUMNS } from "/message-table.js";
import { topicInput } from "/topic-input.js";

export const heading = () => ({ title: "Messages" });

const WAYS = [["time", "From a time"], ["key", "Key"], ["id", "Id"], ["tail", "Live"]];
const AGO = [["", "chosen"], ["600", "10 minutes"], ["3600", "an hour"], ["86400", "a day"], ["604800", "a week"]];
// Rows of a live tail that are kept; older ones make way.
const MOST = 300;

export default function page({ root, query, signal }) {
  let way = WAYS.some(([id]) => id === query.by) ? query.by : "time";
  let running = null;
  const topic = topicInput({ value: query.topic ?? "" });
  const begin = h("input", { type: "datetime-local", step: 1, value: query.begin ?? localInput(Date.now() - 3600_000) });
  const ago = h("select", { onchange: () => { if (ago.value) begin.value = localInput(Date.now() - ago.value * 1000); } },
    AGO.map(([value, text]) => h("option", { value, selected: value === "3600" }, value ? `${text} ago` : text)));
  begin.addEventListener("input", () => { ago.value = ""; });
  const key = h("input", { value: query.key ?? "", maxlength: 500, spellcheck: "false" });
  const id = h("input", { value: query.id ?? "", maxlength: 128, spellcheck: "false" });
  const tags = h("input", { value: query.tags ?? "*", maxlength: 1000, spellcheck: "false" });
  const submit = h("button", { class: "primary", type: "submit" }, "Show");
  const inputs = h("div", { class: "fields" });
  const result = h("div");
  const more = h("div", { class: "pager hidden" });
  const shown = h("section", { class: "card hidden", "aria-label": "What was found" }, result, more);
  const problem = h("div", { "aria-live": "polite" });

  const arrange = () => {
    stop();
    const parts = { time: [field("Since", begin), field("That is", ago)], key: [field("Key", key, true)], id: [field("Message id", id, true)], tail: [field("Tags, as in A || B", tags, true)] };
    inputs.replaceChildren(topic.element, ...parts[way], submit);
    topic.input.required = way !== "id";
    submit.textContent = way === "tail" ? "Start" : "Show";
    more.classList.add("hidden");
    problem.replaceChildren();
    shown.classList.add("hidden");
  };

  const fail = (error) => {
    if (error.name === "AbortError" || signal.aborted) return;
    problem.replaceChildren(note("error", visible(error.message)));
  };

  const list = async (fetchPage) => {
    const rows = [];
    const step = async (cursor) => {
      const found = await fetchPage(cursor);
      const first = rows.length;
      rows.push(...found.items);
      problem.replaceChildren(...[unasked(found.failed)].filter(Boolean));
      shown.classList.remove("hidden");
      replace(result, table("Messages", COLUMNS, rows, "There is no such message."));
      more.classList.toggle("hidden", !rows.length);
      replace(more, h("span", { role: "status" }, plural(rows.length, "message"), found.cursor ? ", and there are more" : ""),
        found.cursor ? h("button", { type: "button", "data-key": "more", onclick: () => step(found.cursor).catch(fail) }, "Show more") : null);
      if (first) result.querySelectorAll("tbody tr")[first]?.querySelector("a")?.focus();
    };
    await step(null);
  };

  const stop = () => {
    running?.abort();
    running = null;
    if (way === "tail") submit.textContent = "Start";
  };

  const tail = async () => {
    if (running) {
      stop();
      return;
    }
    const mine = running = new AbortController();
    submit.textContent = "Stop";
    const rows = [];
    let count = 0;
    let due = 0;
    let since = 0;
    const draw = () => {
      due = 0;
      replace(result, table("Messages", COLUMNS, rows, since ? `Waiting for messages since ${time(since)}.` : "Asking brokers where the queues end…"));
      replace(more, h("span", { role: "status" }, `${plural(count, "message")}, newest first`, running === mine ? ", live" : ", stopped", count > MOST ? `; the last ${MOST} are shown` : ""));
    };
    shown.classList.remove("hidden");
    more.classList.remove("hidden");
    draw();
    try {
      await follow({ topic: topic.input.value.trim(), expression: tags.value.trim() || "*" }, mine.signal, (message) => {
        rows.unshift(message);
        rows.length = Math.min(rows.length, MOST);
        count += 1;
        if (!due) due = setTimeout(draw, 150);
      }, (notes) => {
        if (running !== mine) return;
        if (!since) since = Date.now();
        replace(problem, notes);
        draw();
      });
    } catch (error) {
      fail(error);
    }
    clearTimeout(due);
    if (running === mine) stop();
    if (!signal.aborted) draw();
  };

  const show = async () => {
    const name = topic.input.value.trim();
    problem.replaceChildren();
    setQuery({ by: way, topic: name, begin: way === "time" ? begin.value : null, key: way === "key" ? key.value : null, id: way === "id" ? id.value : null, tags: way === "tail" ? tags.value : null });
    if (way === "tail") await tail();
    else if (way === "id") location.hash = to("message", { id: id.value.trim(), topic: name });
    else if (way === "key") await list(() => get("messages/by-key", { topic: name, key: key.value.trim() }, signal));
    else await list((cursor) => get("messages", { topic: name, begin: new Date(begin.value).toISOString(), cursor }, signal));
  };

  root.append(
    h("form", { class: "card", onsubmit: (event) => { event.preventDefault(); show().catch(fail); } },
      h("div", { class: "body stack" }, segments("Look for", "way", WAYS, way, (chosen) => { way = chosen; arrange(); }), inputs)),
    problem, shown);
  arrange();
  if (query.topic && way !== "tail" && way !== "id" && (way === "time" || query.key)) show().catch(fail);
  return { stop };
}
