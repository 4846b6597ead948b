// Dead letters: the groups that have some, those of one group, and sending them again.

import { get, post } from "/api.js";
import { setQuery, to } from "/app.js";
import { card, dialog, failures, field, h, name, note, replace, segments, table, toast, unasked, visible } from "/dom.js";
import { count, plural, shortTime } from "/format.js";
import { listing } from "/listing.js";
import { BODY, REST, TIME } from "/message-table.js";

export const heading = (query) => (query.group ? { title: query.group, crumb: ["dead-letters", "Dead letters"] } : { title: "Dead letters" });

const GROUPS = [
  { head: "Group", kind: "name", cell: (q) => h("a", { href: to("dead-letters", { group: q.group }) }, name(q.group)) },
  { head: "Dead letters", kind: "num", cell: (q) => count(q.messages) },
  { head: "Last one", kind: "nowrap", cell: (q) => shortTime(q.last_update) },
];

function groups({ root, query, signal, refresh }) {
  root.append(h("p", { class: "muted" }, "Messages that a group has failed to consume too often. They wait here until they are sent again, or deleted with the files they are in."));
  return listing({ path: "dead-letters", label: "Dead letters", columns: GROUPS, query, root, signal, refresh, empty: "No group has dead letters." });
}

const WAYS = [["all", "All"], ["key", "Key"], ["id", "Id"], ["search", "Words"]];
const LABELS = { key: "Key", id: "Message id", search: "Words in what is listed" };
// What a search finds before it waits to be asked for more.
const ENOUGH = 100;

function letters({ root, query, signal }) {
  const group = query.group;
  let way = WAYS.find(([id]) => query[id])?.[0] ?? "all";
  let rows = new Map();
  let cursor = null;
  let lookedAt = 0;
  let reached = null;
  let running = null;
  const chosen = new Set();
  const problem = h("div", { "aria-live": "polite" });
  const result = h("div");
  const more = h("div", { class: "pager" });
  const wanted = h("input", { value: query[way] ?? "", maxlength: 256, spellcheck: "false", autocomplete: "off" });
  const begin = h("input", { type: "datetime-local", step: 1, value: query.begin ?? "" });
  const end = h("input", { type: "datetime-local", step: 1, value: query.end ?? "" });
  const inputs = h("div", { class: "fields" });
  const show = h("button", { type: "submit" }, "Show");
  const resend = h("button", { type: "button", class: "primary", disabled: true, onclick: () => confirm() }, "Send again…");

  const arrange = () => {
    wanted.required = way !== "all";
    inputs.replaceChildren(...[way === "all" ? null : field(LABELS[way], wanted, true), field("Since", begin), field("Until", end), show].filter(Boolean));
  };
  const toggle = (id, on) => {
    if (on) chosen.add(id);
    else chosen.delete(id);
    resend.disabled = !chosen.size;
    resend.textContent = chosen.size ? `Send ${count(chosen.size)} again…` : "Send again…";
  };
  const all = (list) => h("input", { type: "checkbox", "aria-label": "Choose all", "data-key": "all", checked: list.length > 0 && list.every((m) => chosen.has(m.offset_id)),
    onchange: (event) => { list.forEach((m) => toggle(m.offset_id, event.target.checked)); draw(); } });
  const draw = () => {
    const list = [...rows.values()];
    const columns = [
      { head: all(list), plain: true, cell: (m) => h("input", { type: "checkbox", "aria-label": `Choose the message ${m.message_id}`, "data-key": m.offset_id, checked: chosen.has(m.offset_id), onchange: (event) => { toggle(m.offset_id, event.target.checked); draw(); } }) },
      TIME, BODY, { head: "Topic", kind: "name", cell: (m) => name(m.origin ?? "–") }, { head: "Failed", kind: "num", cell: (m) => count(m.deliveries) }, ...REST,
    ];
    const none = running || cursor ? "None so far." : way === "all" && !begin.value && !end.value ? "This group has no dead letters." : "There is none.";
    replace(result, table("Dead letters", columns, list, none));
    const searched = way === "all" ? "" : `; ${count(lookedAt)} looked at${reached && (running || cursor) ? `, up to ${shortTime(reached)}` : ""}`;
    replace(more, h("span", { role: "status" }, `${plural(list.length, "dead letter")}${searched}`, running ? ", searching" : cursor ? ", and there are more" : ""),
      running && way !== "all" ? h("button", { type: "button", "data-key": "stop", onclick: () => stop() }, "Stop") : null,
      !running && cursor ? h("button", { type: "button", "data-key": "more", onclick: () => load() }, way === "all" ? "Show more" : "Search on") : null);
  };
  const stop = () => {
    running?.abort();
    running = null;
    draw();
  };
  /** Fetch until there is enough to show, or no more; who leaves or stops ends it at the server, too. */
  const load = async () => {
    const mine = running = new AbortController();
    const enough = rows.size + (way === "all" ? 1 : ENOUGH);
    const at = (input) => (input.value ? new Date(input.value).toISOString() : null);
    const fields = { group, begin: at(begin), end: at(end), limit: 50, [way]: way === "all" ? null : wanted.value.trim() };
    const failed = {};
    draw();
    try {
      do {
        const page = await get("dead-letters/messages", { ...fields, cursor }, AbortSignal.any([signal, mine.signal]));
        page.items.forEach((m) => rows.set(m.offset_id, m));
        cursor = page.cursor;
        lookedAt += page.looked_at;
        reached = page.reached ?? reached;
        problem.replaceChildren(...[unasked(Object.assign(failed, page.failed))].filter(Boolean));
        draw();
      } while (cursor && rows.size < enough);
    } catch (error) {
      if (signal.aborted || mine.signal.aborted) return;
      problem.replaceChildren(note("error", visible(error.message)));
    } finally {
      if (running === mine) {
        running = null;
        if (!signal.aborted) draw();
      }
    }
  };
  const start = async () => {
    running?.abort();
    rows = new Map();
    [...chosen].forEach((id) => toggle(id, false));
    cursor = null;
    lookedAt = 0;
    reached = null;
    problem.replaceChildren();
    await load();
  };
  const confirm = () => {
    const picked = [...rows.values()].filter((m) => chosen.has(m.offset_id));
    const topics = [...new Set(picked.map((m) => m.origin ?? "an unknown topic"))];
    const status = h("div", { "aria-live": "polite" });
    const run = h("button", { type: "button", class: "primary", onclick: () => send() }, `Send ${plural(picked.length, "message")}`);
    const box = dialog("Send dead letters again", [
      h("p", null, `${plural(picked.length, "new message")} in `, topics.map((t, i) => [i ? ", " : "", h("strong", null, name(t))]), ". "),
      h("p", { class: "muted" }, "Every group that reads the topic gets them, not only this one. Their properties say that they are copies, and the dead letters stay here."),
      status,
    ], [h("button", { type: "button", onclick: () => box.close() }, "Cancel"), run]);
    const send = async () => {
      run.disabled = true;
      const failed = {};
      let done = 0;
      try {
        // In pieces, each of which is responded to within its time.
        for (let at = 0; at < picked.length; at += 50) {
          const part = await post("dead-letters/resend", { group, ids: picked.slice(at, at + 50).map((m) => m.offset_id) });
          done += part.ok.length;
          Object.assign(failed, part.failed);
          status.replaceChildren(h("p", { role: "status" }, `${count(done)} of ${count(picked.length)} sent`));
        }
      } catch (error) {
        status.replaceChildren(note("error", `${plural(done, "message")} sent, then this: ${visible(error.message)}`));
        return;
      }
      picked.forEach((m) => toggle(m.offset_id, false));
      draw();
      if (Object.keys(failed).length) status.replaceChildren(failures(failed, `${plural(done, "message was", "messages were")} sent; these were not.`));
      else {
        box.close();
        toast(`${plural(done, "message was", "messages were")} sent again`);
      }
    };
    run.focus();
  };

  root.append(
    h("form", {
      class: "card",
      onsubmit: (event) => {
        event.preventDefault();
        setQuery({ group, [way]: way === "all" ? null : wanted.value, begin: begin.value, end: end.value });
        start();
      },
    }, h("div", { class: "body stack" }, segments("Look for", "way", WAYS, way, (value) => { way = value; arrange(); if (way !== "all") wanted.focus(); }), inputs)),
    problem, card("Dead letters", { actions: [resend, h("a", { class: "button", href: to("group", { name: group }) }, "The group")] }, result, more));
  arrange();
  return { every: 0, update: start, stop: () => running?.abort() };
}

export default function page(context) {
  return context.query.group ? letters(context) : groups(context);
}
