// Makes elements. Text is always text: nothing here, or elsewhere, parses HTML.

import { count } from "/format.js";

const SVG = "http://www.w3.org/2000/svg";

// Controls, line and paragraph separators, and what changes the direction of text.
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escaped = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Return a text in which characters that would not be seen are written as \uXXXX. */
export function visible(text) {
  return String(text).replace(HIDDEN, escaped);
}

/** The same, but lines stay lines. */
export function visibleLines(text) {
  return text.replace(HIDDEN, (c) => (c === "\n" || c === "\t" ? c : escaped(c)));
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

/** Make an element; strings among the children become text. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Make an element of SVG. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A name from elsewhere: whatever is in it, it stays in its place. */
export function name(text) {
  return h("bdi", { class: "wrap" }, visible(text));
}

/** Replace what is in an element, and keep the focus on what is there again. */
export function replace(element, ...children) {
  const active = element.contains(document.activeElement) ? document.activeElement : null;
  const key = active && (active.dataset.key ?? active.getAttribute("href"));
  const left = [...element.querySelectorAll(".table")].map((each) => each.scrollLeft);
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  element.querySelectorAll(".table").forEach((each, i) => { each.scrollLeft = left[i] ?? 0; });
  if (!key) return;
  for (const each of element.querySelectorAll("[data-key], [href]")) {
    if ((each.dataset.key ?? each.getAttribute("href")) === key) {
      each.focus({ preventScroll: true });
      return;
    }
  }
}

// Rows that a table draws: a group may have 20,000 members, and a topic 65,000 queues.
const MOST_ROWS = 500;

/**
 * A table; of very many rows the first ones.
 * @param label what it shows, for those who do not see it
 * @param columns [{head, cell(row), kind}]; kind is a class: "num", "name"...
 */
export function table(label, columns, rows, empty = "There is nothing here.") {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const more = rows.length - MOST_ROWS;
  const drawn = more > 0 ? rows.slice(0, MOST_ROWS) : rows;
  return h("div", { class: "table", tabindex: 0, role: "region", "aria-label": label },
    h("table", null,
      h("caption", { class: "visually-hidden" }, label),
      h("thead", null, h("tr", null, columns.map((c) =>
        h("th", { scope: "col", class: c.kind }, c.hidden ? h("span", { class: "visually-hidden" }, c.head) : c.head)))),
      h("tbody", null, drawn.map((row) => h("tr", null, columns.map((c, i) =>
        i ? h("td", { class: c.kind }, c.cell(row)) : h(c.plain ? "td" : "th", { scope: c.plain ? null : "row", class: c.kind }, c.cell(row))))))),
    more > 0 ? h("p", { class: "empty" }, `The first ${count(MOST_ROWS)} of ${count(rows.length)} are shown here. rocketmq-admin lists all.`) : null);
}

export function card(title, ...children) {
  const [actions, rest] = children[0]?.actions ? [children[0].actions, children.slice(1)] : [[], children];
  return h("section", { class: "card" }, h("header", null, h("h2", null, title), actions), rest);
}

export function note(kind, lead, ...more) {
  return h("div", { class: `note ${kind}`, role: kind === "error" ? "alert" : null },
    h("span", { class: "lead" }, lead), more);
}

/** What has failed, each with its reason: nothing if nothing has. */
export function failures(failed, what) {
  const entries = Object.entries(failed ?? {});
  if (!entries.length) return null;
  return note("warning", what, h("ul", null, entries.map(([who, why]) => h("li", null, name(who), ": ", name(why)))));
}

/** Who could not be asked, and why: nothing if all responded. */
export function unasked(failed) {
  const entries = Object.entries(failed ?? {});
  if (!entries.length) return null;
  return note("warning", "This is incomplete: what only these servers know is missing.",
    h("ul", null, entries.map(([who, why]) => h("li", null, name(who), " could not be asked: ", name(why)))));
}

export function tag(text, kind = "") {
  return h("span", { class: `tag ${kind}` }, visible(text));
}

/** Choose one of a few: radio buttons that look like one control. */
export function segments(legend, groupName, options, chosen, onchange) {
  return h("fieldset", null, h("legend", null, legend),
    h("div", { class: "segments" }, options.map(([value, text]) => h("label", null,
      h("input", { type: "radio", name: groupName, value, checked: value === chosen, onchange: () => onchange(value) }),
      h("span", null, text)))));
}

export function field(label, control, grow = false) {
  return h("label", { class: grow ? "field grow" : "field" }, h("span", null, label), control);
}

/** Open something; what fails is said. */
export async function attempt(open) {
  try {
    await open();
  } catch (error) {
    toast(error.message);
  }
}

let toastTimer = 0;

/** Say that something was done. */
export function toast(text) {
  const box = document.querySelector(".toast");
  box.textContent = visible(text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { box.textContent = ""; }, 6000);
}

/** Show a dialog; it is removed when it closes. */
export function dialog(title, body, actions) {
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => box.close() }, "✕");
  const heading = h("h2", { id: "dialog-title" }, title);
  const box = h("dialog", { "aria-labelledby": "dialog-title" },
    h("header", null, heading, close), h("div", { class: "body" }, body), actions ? h("footer", null, actions) : null);
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}
