// Lines over time, as SVG. They are drawn in the pixels that there are.

import { h, s, visible } from "/dom.js";
import { compact, timeOfDay, shortTime } from "/format.js";

const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 20;
const TOP = 8;

/** Return a round number that is not smaller. */
function roundUp(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((f) => f * power).find((n) => n >= value);
}

const last = (line) => (line.values.length ? line.values[line.values.length - 1] : null);

/**
 * A plot that follows its data.
 * @param what what it shows, for those who do not see it
 */
export class Plot {
  constructor(what, format = compact) {
    this.what = what;
    this.format = format;
    this.lines = [];
    this.at = null;
    this.legend = h("ul", { class: "legend" });
    this.svg = s("svg", { role: "img", "aria-label": what });
    this.element = h("figure", { class: "plot" }, this.legend, this.svg);
    this.svg.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  show(lines) {
    this.lines = lines;
    this.draw();
  }

  point(x) {
    this.at = x;
    this.draw();
  }

  draw() {
    const width = this.svg.clientWidth;
    if (!width) return;
    const times = this.lines.flatMap((line) => line.times);
    const end = times.length ? Math.max(...times) : Date.now();
    // Never less than five minutes: a single sample would be as wide as the plot.
    const start = Math.min(times.length ? Math.min(...times) : end, end - 300_000);
    const top = roundUp(this.lines.flatMap((line) => line.values).reduce((a, b) => Math.max(a, b), 0));
    const x = (t) => LEFT + ((t - start) / (end - start)) * (width - LEFT - 4);
    const y = (v) => TOP + (1 - v / top) * (HEIGHT - TOP - BOTTOM);
    const parts = [this.axes(width, x, y, start, end, top)];
    this.lines.forEach((line, i) => parts.push(this.line(line, i, x, y)));
    let read = null;
    if (this.at !== null && times.length && this.at >= LEFT) {
      read = start + ((this.at - LEFT) / (width - LEFT - 4)) * (end - start);
      parts.push(s("line", { class: "cross", x1: this.at, x2: this.at, y1: TOP, y2: HEIGHT - BOTTOM }));
    }
    this.svg.replaceChildren(...parts.flat());
    this.read(read);
    const now = this.lines.map((line) => `${visible(line.label ?? line.name)} ${this.format(last(line))}`);
    this.svg.setAttribute("aria-label", `${this.what}, now: ${now.join(", ") || "no samples yet"}`);
  }

  axes(width, x, y, start, end, top) {
    const parts = [];
    for (const value of top > 1 ? [0, top / 2, top] : [0, top]) {
      parts.push(s("line", { class: "grid", x1: LEFT, x2: width - 4, y1: y(value), y2: y(value) }));
      parts.push(s("text", { class: "axis", x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, this.format(value)));
    }
    const marks = width > 480 ? 4 : 2;
    for (let i = 0; i <= marks; i += 1) {
      const at = start + ((end - start) * i) / marks;
      const anchor = i === 0 ? "start" : i === marks ? "end" : "middle";
      parts.push(s("text", { class: "axis", x: x(at), y: HEIGHT - 4, "text-anchor": anchor }, timeOfDay(at)));
    }
    return parts;
  }

  line(line, i, x, y) {
    if (!line.times.length) return [];
    const points = line.times.map((t, k) => `${x(t).toFixed(1)},${y(line.values[k]).toFixed(1)}`);
    const colour = `c${(i % 6) + 1}`;
    const area = `M${points[0].split(",")[0]},${y(0)}L${points.join("L")}L${points[points.length - 1].split(",")[0]},${y(0)}Z`;
    const path = points.length > 1 ? `M${points.join("L")}` : `M${points[0]}h0.1`;
    const parts = [];
    if (this.lines.length < 3) parts.push(s("path", { class: `area ${colour}`, d: area }));
    parts.push(s("path", { class: `series ${colour}`, d: path, fill: "none" }));
    return parts;
  }

  read(at) {
    const items = this.lines.map((line, i) => {
      let value = last(line);
      if (at !== null && line.times.length) {
        let k = line.times.findIndex((t) => t >= at);
        if (k < 0) k = line.times.length - 1;
        value = line.values[k];
      }
      return h("li", null,
        s("svg", { "aria-hidden": "true", viewBox: "0 0 14 3" }, s("rect", { class: `c${(i % 6) + 1}`, width: 14, height: 3, rx: 1.5 })),
        h("bdi", null, visible(line.label ?? line.name)), h("b", null, this.format(value)));
    });
    if (!items.length) items.push(h("li", { class: "muted" }, "no samples yet"));
    if (at !== null) items.push(h("li", { class: "muted" }, shortTime(at)));
    this.legend.replaceChildren(...items);
  }
}
