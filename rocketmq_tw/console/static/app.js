// The frame around the pages: addresses, keys, colours, signing in.

import * as api from "/api.js";
import { dialog, field, h, note, visible } from "/dom.js";

const PAGES = [
  ["cluster", "Cluster", "c", () => import("/page-cluster.js")],
  ["topics", "Topics", "t", () => import("/page-topics.js")],
  ["groups", "Groups", "g", () => import("/page-groups.js")],
  ["clients", "Clients", "l", () => import("/page-clients.js")],
  ["messages", "Messages", "m", () => import("/page-messages.js")],
  ["dead-letters", "Dead letters", "d", () => import("/page-dead-letters.js")],
  ["send", "Send", "s", () => import("/page-send.js")],
];
// Pages of one thing, and the page in the list that they belong to.
const INNER = {
  topic: ["topics", () => import("/page-topic.js")],
  group: ["groups", () => import("/page-group.js")],
  client: ["clients", () => import("/page-client.js")],
  message: ["messages", () => import("/page-message.js")],
};
const EVERY = 5000;

let current = null;

/** Return where we are: {page, query}. */
export function here() {
  const [page, search] = location.hash.replace(/^#\/?/, "").split("?");
  return { page: page || "cluster", query: Object.fromEntries(new URLSearchParams(search ?? "")) };
}

/** The address of a page. */
export function to(page, query = {}) {
  const fields = Object.entries(query).filter(([, v]) => v !== null && v !== undefined && v !== "");
  const search = new URLSearchParams(fields).toString();
  return `#/${page}${search ? `?${search}` : ""}`;
}

/** Change the query of this page; its history keeps one entry. */
export function setQuery(query) {
  history.replaceState(null, "", to(here().page, query));
}

// -- pages

class Shown {
  constructor(module, query, main, fresh) {
    this.abort = new AbortController();
    this.fresh = fresh;
    this.timer = 0;
    this.error = h("div");
    // Empty until the first response: if that is an error, there is nothing to frame.
    this.root = h("div", { class: "stack" });
    main.replaceChildren(this.error, this.root);
    this.page = module.default({ root: this.root, query, signal: this.abort.signal, refresh: () => this.refresh() });
    this.refresh();
  }

  async refresh() {
    clearTimeout(this.timer);
    if (!this.page?.update) return;
    try {
      if (!document.hidden || !this.wasShown) await this.page.update();
      this.wasShown = true;
      if (this.abort.signal.aborted) return;
      this.error.replaceChildren();
      this.root.classList.remove("hidden");
      this.fresh.textContent = this.page.every === 0 ? "" : `updated ${new Date().toLocaleTimeString("en-GB")}`;
    } catch (error) {
      if (this.abort.signal.aborted || error.name === "AbortError") return;
      if (error.status === 401) return;
      this.root.classList.toggle("hidden", !this.wasShown);
      this.error.replaceChildren(note("error", error instanceof api.ApiError ? visible(error.message) : `This page has failed: ${error.message}`));
      if (!(error instanceof api.ApiError)) console.error(error);
    }
    const every = this.page.every ?? EVERY;
    if (every && !this.abort.signal.aborted) this.timer = setTimeout(() => this.refresh(), every);
  }

  stop() {
    clearTimeout(this.timer);
    this.abort.abort();
    this.page?.stop?.();
  }
}

let visits = 0;

async function show() {
  const { page, query } = here();
  const listed = PAGES.find(([id]) => id === page);
  const inner = INNER[page];
  if (!listed && !inner) {
    location.hash = "#/cluster";
    return;
  }
  const active = listed ? page : inner[0];
  for (const link of document.querySelectorAll(".nav a")) {
    if (link.dataset.page === active) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else link.removeAttribute("aria-current");
  }
  visits += 1;
  const visit = visits;
  const module = await (listed ? listed[3]() : inner[1]());
  if (visit !== visits) return;
  current?.stop();
  const main = document.querySelector("main");
  const fresh = h("span", { class: "fresh", "aria-hidden": "true" });
  const { crumb, title, actions } = module.heading(query);
  document.title = `${title} · RocketMQ`;
  const box = h("div", { class: "stack" });
  main.replaceChildren(
    h("div", { class: "head" },
      h("h1", { tabindex: -1 }, crumb ? h("span", { class: "crumb" }, h("a", { href: to(crumb[0]) }, crumb[1])) : null, h("bdi", null, visible(title))),
      fresh, actions ?? null),
    box);
  current = new Shown(module, query, box, fresh);
  if (visit > 1) main.querySelector("h1").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

// -- frame

function theme() {
  const order = ["system", "light", "dark"];
  const label = { system: "Colours: system", light: "Colours: light", dark: "Colours: dark" };
  const sign = { system: "◐", light: "☀", dark: "☾" };
  const button = h("button", { type: "button", class: "quiet", onclick: () => set(order[(order.indexOf(now()) + 1) % 3]) });
  const now = () => document.documentElement.dataset.theme ?? "system";
  const draw = () => {
    button.replaceChildren(h("span", { "aria-hidden": "true" }, sign[now()]), h("span", { class: "keys" }, label[now()]));
    button.setAttribute("aria-label", label[now()]);
  };
  const set = (chosen) => {
    if (chosen === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    try {
      localStorage.setItem("theme", chosen);
    } catch {
      // It lasts as long as the page.
    }
    draw();
  };
  draw();
  return button;
}

const brand = (about) => h("div", { class: "brand" }, h("img", { src: "/icon.svg", alt: "" }),
  h("div", null, h("strong", null, "RocketMQ"), h("span", null, about ? h("bdi", null, visible(about.name)) : "console")));

function frame(about) {
  document.body.replaceChildren(
    h("a", { class: "skip", href: "#main", onclick: (event) => { event.preventDefault(); document.querySelector("h1")?.focus(); } }, "Skip to the content"),
    h("div", { class: "frame" },
      h("div", { class: "side" },
        brand(about),
        h("nav", { class: "nav", "aria-label": "Pages" }, h("ul", null, PAGES.map(([id, text, letter]) =>
          h("li", null, h("a", { href: to(id), "data-page": id }, text, h("kbd", { "aria-hidden": "true" }, `g ${letter}`)))))),
        h("div", { class: "side-end" },
          h("button", { type: "button", class: "quiet keys", onclick: help }, "Keys", h("kbd", { "aria-hidden": "true" }, "?")),
          theme(),
          h("button", { type: "button", class: "quiet", onclick: () => api.signOut() }, "Sign out"))),
      h("main", { id: "main" })),
    h("div", { class: "toast", role: "status" }));
}

function help() {
  const keys = [...PAGES.map(([, text, letter]) => [`g ${letter}`, `go to ${text}`]), ["/", "search this page"], ["r", "refresh"], ["?", "these keys"], ["Esc", "close a dialog"]];
  dialog("Keys", h("dl", { class: "pairs" }, keys.map(([k, text]) => [h("dt", null, h("kbd", null, k)), h("dd", null, text)])));
}

let pending = "";

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !api.isSignedIn()) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  const letter = event.key;
  if (pending === "g") {
    pending = "";
    const page = PAGES.find(([, , k]) => k === letter);
    if (page) location.hash = to(page[0]);
    return;
  }
  pending = letter === "g" ? "g" : "";
  if (letter === "/") {
    const search = document.querySelector("main input[type=search], main input:not([type=radio]):not([type=checkbox])");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (letter === "r") current?.refresh();
  else if (letter === "?") help();
}

// -- signing in

function gate(message) {
  visits += 1;
  current?.stop();
  current = null;
  document.title = "Sign in · RocketMQ";
  const problem = h("div", null, message ? note("error", message) : null);
  const token = h("input", { type: "password", name: "token", autocomplete: "current-password", required: true, spellcheck: "false" });
  const button = h("button", { class: "primary", type: "submit" }, "Sign in");
  const form = h("form", {
    class: "card",
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await api.signIn(token.value.trim());
        await enter();
      } catch (error) {
        problem.replaceChildren(note("error", visible(error.message)));
        token.select();
      } finally {
        button.disabled = false;
      }
    },
  }, h("h1", { class: "brand" }, h("img", { src: "/icon.svg", alt: "" }), "RocketMQ console"),
  h("p", { class: "muted" }, "The token is in a file beside the broker's data; its log says where."),
  problem, field("Token", token), button);
  document.body.replaceChildren(h("main", { class: "gate" }, form));
  token.focus();
}

async function enter() {
  let about;
  try {
    about = await api.get("session");
  } catch (error) {
    gate(error.status === 401 ? null : visible(error.message));
    return;
  }
  frame(about);
  await show();
}

api.whenSignedOut(() => gate(null));
window.addEventListener("hashchange", () => { if (api.isSignedIn()) show(); });
document.addEventListener("keydown", onKey);
document.addEventListener("visibilitychange", () => { if (!document.hidden) current?.refresh(); });
if (api.isSignedIn()) enter();
else gate(null);
