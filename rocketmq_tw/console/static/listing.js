// Lists with a search, in pages that the server cuts: of 10,000 entries it sends 50.

import { get } from "/api.js";
import { h, replace, table, unasked } from "/dom.js";
import { count } from "/format.js";
import { setQuery } from "/app.js";

const LIMIT = 50;

/**
 * A list.
 * @param options {path, label, columns, query, root, signal, empty, filters}
 * filters: [{element, values()}] beside the search
 */
export function listing({ path, label, columns, query, root, signal, empty, refresh, filter }) {
  const state = { search: query.search ?? "", offset: Number(query.offset) || 0, ...(filter?.state ?? {}) };
  const failed = h("div");
  const rows = h("div");
  const pager = h("div", { class: "pager" });
  let timer = 0;
  const search = h("input", {
    type: "search", value: state.search, placeholder: "Search", "aria-label": `Search ${label.toLowerCase()}`, autocomplete: "off", spellcheck: "false", maxlength: 200,
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(() => change({ search: search.value, offset: 0 }), 200);
    },
  });
  const change = (changes) => {
    Object.assign(state, changes);
    setQuery({ ...state, offset: state.offset || null });
    return refresh();
  };
  const step = (key, text, by, disabled) => h("button", { type: "button", "data-key": key, disabled, onclick: () => change({ offset: Math.max(0, state.offset + by) }) }, text);
  root.append(failed, h("section", { class: "card" },
    h("header", null, h("div", { class: "field grow" }, search), filter ? filter.element(state, change) : null), rows, pager));
  return {
    async update() {
      const page = await get(path, { ...state, limit: LIMIT }, signal);
      if (page.total && state.offset >= page.total) {
        await change({ offset: Math.floor((page.total - 1) / LIMIT) * LIMIT });
        return;
      }
      replace(failed, unasked(page.failed));
      replace(rows, table(label, columns, page.items, state.search ? `Nothing matches “${state.search}”.` : empty));
      const end = page.offset + page.items.length;
      // What is empty says so itself, but for those who only hear what changes.
      pager.classList.toggle("visually-hidden", !page.total);
      replace(pager, h("span", { role: "status" }, page.total ? `${count(page.offset + 1)}–${count(end)} of ${count(page.total)}` : "none"),
        page.total > LIMIT ? [step("previous", "Previous", -LIMIT, page.offset === 0), step("next", "Next", LIMIT, end >= page.total)] : null);
    },
  };
}
