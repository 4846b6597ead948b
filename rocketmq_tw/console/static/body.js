// The body of a message: as text, as JSON, or byte by byte. Always as text to the browser.

import { h, segments, visibleLines } from "/dom.js";
import { size } from "/format.js";

// What is shown at first; all of a large body only if somebody asks for it.
const FIRST = 64 * 1024;

function fromBase64(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

export function toBase64(bytes) {
  const pieces = [];
  for (let i = 0; i < bytes.length; i += 0x8000) pieces.push(String.fromCharCode(...bytes.subarray(i, i + 0x8000)));
  return btoa(pieces.join(""));
}

function asText(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function asJson(text) {
  const start = text?.trimStart()[0];
  if (start !== "{" && start !== "[") return null;
  try {
    // Numbers are kept as they are written: some ids have more digits than a double.
    JSON.parse(text);
    return indent(text);
  } catch {
    return null;
  }
}

/** Lay JSON out in lines, without changing any of its values. */
function indent(text) {
  const out = [];
  let depth = 0;
  const line = () => out.push(`\n${"  ".repeat(Math.min(depth, 60))}`);
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "{" || token === "[") {
      out.push(token);
      depth += 1;
      line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      if (/^\n\s*$/.test(out[out.length - 1]) && /[{[]$/.test(out[out.length - 2])) out.pop();
      else line();
      out.push(token);
    } else if (token === ",") {
      out.push(token);
      line();
    } else if (token === ":") out.push(": ");
    else out.push(token);
  }
  return out.join("");
}

function asHex(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((b) => b.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : "·")).join("");
    lines.push(`${at.toString(16).padStart(8, "0")}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join("\n");
}

/** Show a body; the best way of the three is chosen. */
export function body(base64) {
  const bytes = fromBase64(base64);
  const text = asText(bytes);
  const json = bytes.length <= 1 << 20 ? asJson(text) : null;
  const ways = [json === null ? null : ["json", "JSON"], text === null ? null : ["text", "Text"], ["hex", "Hex"]].filter(Boolean);
  let way = ways[0][0];
  let all = false;
  const content = h("pre", { class: "content", tabindex: 0, "aria-label": "Body" });
  const more = h("div", { class: "pager hidden" });
  const draw = () => {
    const limit = all ? Infinity : way === "hex" ? FIRST / 4 : FIRST;
    const whole = way === "hex" ? null : way === "json" ? json : text;
    const length = whole === null ? bytes.length : whole.length;
    content.className = `content ${way}`;
    content.textContent = whole === null ? asHex(bytes.subarray(0, limit)) : visibleLines(whole.slice(0, limit));
    const cut = length > limit;
    more.classList.toggle("hidden", !cut);
    more.replaceChildren(h("span", null, `The beginning of ${size(bytes.length)}.`), h("button", { type: "button", onclick: () => { all = true; draw(); } }, "Show all"));
  };
  const save = h("button", {
    type: "button",
    onclick: () => {
      const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
      h("a", { href: url, download: "body.bin" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    },
  }, "Save");
  draw();
  return h("section", { class: "card" },
    h("header", null, h("h2", null, "Body ", h("span", { class: "muted" }, size(bytes.length))),
      ways.length > 1 ? segments(h("span", { class: "visually-hidden" }, "Show the body as"), "body-way", ways, way, (chosen) => { way = chosen; draw(); }) : null, save),
    bytes.length ? content : h("p", { class: "empty" }, "The body is empty."), more);
}
