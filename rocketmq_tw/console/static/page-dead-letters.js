// Dead letters: the groups that have some, those of one group, and sending them again.

import { get, post } from "/api.js";
import { setQuery, to } from "/app.js";
import { card, dialog, failures, h, name, note, replace, table, toast, unasked, visible } from "/dom.js";
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

function letters({ root, query, signal }) {
  const group = query.group;
  let rows = [];
  let cursor = null;
  const chosen = new Set();
  const problem = h("div", { "aria-live": "polite" });
  const result = h("div");
  const more = h("div", { class: "pager" });
  const search = h("input", { type: "search", value: query.search ?? "", placeholder: "Search those that are loaded", "aria-label": "Search dead letters", spellcheck: "false",
    oninput: () => { setQuery({ group, search: search.value }); draw(); } });
  const resend = h("button", { type: "button", class: "primary", disabled: true, onclick: () => confirm() }, "Send again…");

  const found = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    return rows.filter((m) => {
      const text = [m.message_id, m.tag, ...m.keys, m.origin, m.preview].join("\n").toLowerCase();
      return words.every((word) => text.includes(word));
    });
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
    const list = found();
    const columns = [
      { head: all(list), plain: true, cell: (m) => h("input", { type: "checkbox", "aria-label": `Choose the message ${m.message_id}`, "data-key": m.offset_id, checked: chosen.has(m.offset_id), onchange: (event) => { toggle(m.offset_id, event.target.checked); draw(); } }) },
      TIME, BODY, { head: "Topic", kind: "name", cell: (m) => name(m.origin ?? "–") }, { head: "Failed", kind: "num", cell: (m) => count(m.deliveries) }, ...REST,
    ];
    replace(result, table("Dead letters", columns, list, rows.length ? "None of those that are loaded matches." : "This group has no dead letters."));
    replace(more, h("span", { role: "status" }, `${plural(list.length, "dead letter")}`, cursor ? ", and there are more" : ""),
      cursor ? h("button", { type: "button", "data-key": "more", onclick: () => load().catch(fail) }, "Show more") : null);
  };
  const fail = (error) => {
    if (!signal.aborted) problem.replaceChildren(note("error", visible(error.message)));
  };
  const load = async () => {
    const page = await get("dead-letters/messages", { group, cursor, limit: 50 }, signal);
    rows = [...rows, ...page.items];
    cursor = page.cursor;
    problem.replaceChildren(...[unasked(page.failed)].filter(Boolean));
    draw();
  };
  const confirm = () => {
    const picked = rows.filter((m) => chosen.has(m.offset_id));
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

  root.append(problem, card("Dead letters", { actions: [h("div", { class: "field grow" }, search), resend, h("a", { class: "button", href: to("group", { name: group }) }, "The group")] }, result, more));
  return {
    every: 0,
    async update() {
      rows = [];
      cursor = null;
      await load();
    },
  };
}

export default function page(context) {
  return context.query.group ? letters(context) : groups(context);
}
