// Creating, changing and deleting a consumer group.

import { patch, post, remove } from "/api.js";
import { to } from "/app.js";
import { field, h, name, note, toast } from "/dom.js";
import { allDone, deleteDialog, formDialog, settings } from "/form.js";
import { plural } from "/format.js";
import { where } from "/topic-form.js";

const MOST = 2147483647;
const FIELDS = [
  { key: "max_retries", label: "Retries", kind: "number", start: 16, min: 0, max: MOST, help: "After so many, a message becomes a dead letter." },
  { key: "consume_timeout_minutes", label: "Minutes for one message", kind: "number", start: 15, min: 1, max: MOST },
  { key: "ordered", label: "Consumes in order", kind: "yes or no", start: false },
  { key: "may_consume", label: "May consume", kind: "yes or no", start: true },
  { key: "may_broadcast", label: "May broadcast", kind: "yes or no", start: true, help: "Each member gets all messages." },
  { key: "may_consume_from_min", label: "May begin with the oldest message", kind: "yes or no", start: true },
  { key: "retry_queues", label: "Queues of retries, at each broker", kind: "number", start: 1, min: 1, max: 65535 },
];

export async function createGroup() {
  const at = await where(false);
  const input = h("input", { required: true, maxlength: 120, autocomplete: "off", spellcheck: "false", autocapitalize: "off" });
  const form = settings(FIELDS);
  formDialog({
    title: "New consumer group", action: "Create the group",
    content: [h("div", { class: "fields" }, field("Name", input, true), at.element), h("div", { class: "settings" }, form.elements)],
    run: async (problem) => {
      const group = input.value.trim();
      const done = await post("group", { name: group, ...at.chosen(), ...form.entered() });
      if (!allDone(done, problem, "The group is created, but not here.")) return false;
      toast(`${group} is created`);
      location.hash = to("group", { name: group });
      return true;
    },
  });
  input.focus();
}

export function changeGroup(group, known, done) {
  const form = settings(FIELDS, known);
  formDialog({
    title: "Change the group", action: "Change the group",
    content: [h("p", { class: "muted" }, "At all brokers that have it. ", h("strong", null, name(group))), h("div", { class: "settings" }, form.elements)],
    run: async (problem) => {
      const change = form.entered();
      if (!Object.keys(change).length) throw new Error("Nothing is different from what it was.");
      if (!allDone(await patch("group", { name: group, ...change }), problem, "Not all brokers have changed it.")) return false;
      toast(`${group} is changed`);
      done();
      return true;
    },
  });
}

export function deleteGroup(group, members) {
  const sure = h("input", { type: "checkbox", required: true });
  const online = members ? [note("warning", `${plural(members, "member is", "members are")} connected. `, "Who is connected may create the group again, and begin from the start; stop it first."),
    h("label", { class: "inline" }, sure, "delete it although they are connected")] : null;
  deleteDialog({
    kind: "group", name: group,
    meaning: [h("p", null, "How far it has read, its messages to retry and its dead letters will be gone. The messages of topics stay."), online],
    run: async (problem) => {
      const done = await remove("group", { name: group, while_online: members ? String(sure.checked) : null });
      if (!allDone(done, problem, "It is not deleted everywhere.")) return false;
      toast(`${group} is deleted`);
      location.hash = to("groups");
      return true;
    },
  });
}
