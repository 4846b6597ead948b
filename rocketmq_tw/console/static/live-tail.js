// Messages as they come: what cannot be read now is said, and a lost connection is made again.

import { ApiError, stream } from "/api.js";
import { failures, note, visible } from "/dom.js";
import { time } from "/format.js";

// Milliseconds until a connection that was lost is tried again.
const AGAIN = 2000;
// Many live tails: somebody else may stop one. No topic: its broker has not registered yet.
const MAY_PASS = [0, 404, 409, 429, 502, 503, 504];

/** The tail is over, for a reason that stays. */
class Ended extends Error {}

const sleep = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

/**
 * Follow a topic until it is aborted, or cannot be read any more.
 * @param onmessage called with each message
 * @param onstate called with notes about what is missing; the first time when it has begun
 * @throws Error with a sentence, if it is over
 */
export async function follow(query, signal, onmessage, onstate) {
  let lost = null;
  let gap = null;
  let failing = {};
  let once = false;
  let why = "";
  const tell = () => {
    const missing = failures(failing, "These queues cannot be read now. They are tried again, and what they get meanwhile comes then.");
    onstate([lost && note("warning", `The connection was lost at ${time(lost)}. It is tried again; messages of this time will not be shown here.`, why && ` ${visible(why)}`), !lost && gap, missing]);
  };
  const begun = () => {
    once = true;
    if (!lost) return;
    gap = note("warning", `There was no connection from ${time(lost)} to ${time(Date.now())}. Look for messages of that time with “From a time”.`);
    lost = null;
  };
  const online = (line) => {
    if (line.error) throw new Ended(line.error);
    if (!line.failing) {
      onmessage(line);
      return;
    }
    begun();
    failing = line.failing;
    if (line.more) failing[`${line.more} more queues`] = "likewise";
    tell();
  };
  for (;;) {
    try {
      await stream("tail", query, signal, online);
    } catch (error) {
      if (signal.aborted) return;
      // One that was lost may begin again later, whatever is wrong now.
      if (error instanceof Ended && !lost) throw new Error(once ? `The tail has ended: ${error.message}` : error.message);
      if (error instanceof ApiError && (!once || !MAY_PASS.includes(error.status))) throw error;
      why = error instanceof Ended || error instanceof ApiError ? error.message : "";
    }
    if (signal.aborted) return;
    failing = {};
    lost ??= Date.now();
    tell();
    await sleep(AGAIN, signal);
    if (signal.aborted) return;
  }
}
