// Creating, changing and deleting a topic.

import { get, patch, post, remove } from "/api.js";
import { to } from "/app.js";
import { field, h, name, note, toast, visible } from "/dom.js";
import { allDone, deleteDialog, formDialog, settings } from "/form.js";
import { plural } from "/format.js";

const MOST = 65535;
const PERMISSION = { key: "permission", label: "Permission", kind: "choice", start: "rw", options: [["rw", "read and write"], ["r", "read only"], ["w", "write only"], ["-", "none"]] };
const ORDERED = { key: "ordered", label: "Order is global", kind: "yes or no", start: false, help: "Its queues stay the same while a broker is away." };
const ATTRIBUTES = { key: "attributes", label: "Attributes", kind: "pairs", start: {} };
const TYPES = [["NORMAL", "normal"], ["FIFO", "in order (FIFO)"], ["DELAY", "delayed"], ["TRANSACTION", "transactional"], ["PRIORITY", "with priorities"], ["MIXED", "of all types"]];
const NEW = [
  { key: "type", label: "Type of messages", kind: "choice", start: "NORMAL", options: TYPES },
  { key: "queues", label: "Queues at each broker", kind: "number", start: 8, min: 1, max: MOST },
  PERMISSION, ORDERED, ATTRIBUTES,
];
const CHANGE = [
  { key: "write_queues", label: "Queues to write, at each broker", kind: "number", min: 1, max: MOST, help: "Others get no more messages." },
  { key: "read_queues", label: "Queues to read, at each broker", kind: "number", min: 1, max: MOST, help: "Others are not read: keep as many as have messages." },
  PERMISSION, ORDERED, ATTRIBUTES,
];

/** Let one choose between all brokers, those of a cluster, and a single one; null if there is only one. */
export async function where(single = true) {
  const { status } = await get("cluster");
  const clusters = [...new Set(status.brokers.map((b) => b.cluster))].sort();
  const brokers = single ? [...new Set(status.brokers.map((b) => b.name))].sort() : [];
  const options = [...(clusters.length > 1 ? clusters.map((c) => [{ cluster: c }, `the cluster ${visible(c)}`]) : []),
    ...(brokers.length > 1 ? brokers.map((b) => [{ brokers: [b] }, `only ${visible(b)}`]) : [])];
  const select = h("select", null, h("option", { value: "" }, "all brokers"), options.map(([, label], i) => h("option", { value: i }, label)));
  return { element: options.length ? field("Where", select, true) : null, chosen: () => (select.value === "" ? {} : options[select.value][0]) };
}

export async function createTopic() {
  const at = await where();
  const input = h("input", { required: true, maxlength: 127, autocomplete: "off", spellcheck: "false", autocapitalize: "off" });
  const form = settings(NEW);
  formDialog({
    title: "New topic", action: "Create the topic",
    content: [h("div", { class: "fields" }, field("Name", input, true), at.element), h("div", { class: "settings" }, form.elements)],
    run: async (problem) => {
      const topic = input.value.trim();
      const done = await post("topic", { name: topic, ...at.chosen(), ...form.entered() });
      if (!allDone(done, problem, "The topic is created, but not here.")) return false;
      toast(`${topic} is created`);
      location.hash = to("topic", { name: topic });
      return true;
    },
  });
  input.focus();
}

export function changeTopic(topic, known, done) {
  const form = settings(CHANGE, known);
  formDialog({
    title: "Change the topic", action: "Change the topic",
    content: [h("p", { class: "muted" }, "At all brokers that have it. ", h("strong", null, name(topic))), h("div", { class: "settings" }, form.elements)],
    run: async (problem) => {
      const change = form.entered();
      if (!Object.keys(change).length) throw new Error("Nothing is different from what it was.");
      if (!allDone(await patch("topic", { name: topic, ...change }), problem, "Not all brokers have changed it.")) return false;
      toast(`${topic} is changed`);
      done();
      return true;
    },
  });
}

export function deleteTopic(topic, messages, readers) {
  deleteDialog({
    kind: "topic", name: topic,
    meaning: note("warning", `${plural(messages, "message")} will be gone. `,
      readers.length ? ["These groups read it: ", readers.map((g, i) => [i ? ", " : "", name(g)]), "."] : "No consumer group has read it."),
    run: async (problem) => {
      if (!allDone(await remove("topic", { name: topic }), problem, "It is not deleted everywhere.")) return false;
      toast(`${topic} is deleted`);
      location.hash = to("topics");
      return true;
    },
  });
}
