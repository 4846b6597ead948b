// Numbers, times and sizes, as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (n) => (n === null || n === undefined ? "–" : whole.format(n));
export const compact = (n) => (n === null || n === undefined ? "–" : Math.abs(n) < 10000 ? whole.format(n) : short.format(n));

export function rate(n) {
  if (n === null || n === undefined) return "–";
  return n > 0 && n < 10 ? n.toFixed(1) : compact(n);
}

export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let at = 0;
  let n = bytes;
  while (Math.abs(n) >= 1024 && at < units.length - 1) { n /= 1024; at += 1; }
  return `${at && n < 100 ? n.toFixed(1) : whole.format(n)} ${units[at]}`;
}

const two = (n) => String(n).padStart(2, "0");

const day = (t) => `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
const clock = (t) => `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;

/** A time in this browser's time zone; of today, only the time of day. */
export function time(value, withMs = false) {
  if (value === null || value === undefined || value === "") return "–";
  const t = new Date(value);
  if (Number.isNaN(t.getTime())) return "–";
  const ms = withMs ? `.${String(t.getMilliseconds()).padStart(3, "0")}` : "";
  return `${day(t)} ${clock(t)}${ms}`;
}

export function shortTime(value) {
  if (!value) return "–";
  const t = new Date(value);
  return day(t) === day(new Date()) ? clock(t) : `${day(t)} ${clock(t)}`;
}

export const timeOfDay = (ms) => clock(new Date(ms)).slice(0, 5);

/** The value of an input of the type datetime-local. */
export function localInput(ms) {
  const t = new Date(ms);
  return `${day(t)}T${clock(t)}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

export const since = (value) => (value ? duration((Date.now() - new Date(value).getTime()) / 1000) : "–");

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
