// Sending a test message.

import { post } from "/api.js";
import { to } from "/app.js";
import { toBase64 } from "/body.js";
import { card, field, h, name, note, visible } from "/dom.js";
import { pairs } from "/form.js";
import { topicInput } from "/topic-input.js";

export const heading = () => ({ title: "Send a message" });

export default function page({ root, query, signal }) {
  const topic = topicInput({ value: query.topic ?? "" });
  const tagInput = h("input", { maxlength: 200, spellcheck: "false" });
  const keys = h("input", { maxlength: 500, spellcheck: "false" });
  const delay = h("input", { type: "number", min: 0, max: 3456000, step: "any", placeholder: "none" });
  const extra = h("textarea", { rows: 2, spellcheck: "false", placeholder: "name=value, one a line" });
  const body = h("textarea", { rows: 8, required: true, spellcheck: "false" });
  const button = h("button", { class: "primary", type: "submit" }, "Send");
  const result = h("div", { "aria-live": "polite", class: "stack" });
  const send = async () => {
    const bytes = new TextEncoder().encode(body.value);
    if (bytes.length > 4 * 1024 * 1024) throw new Error("A message may have 4 MiB.");
    const sent = await post("message", {
      topic: topic.input.value.trim(), body: toBase64(bytes), tag: tagInput.value.trim() || null,
      keys: keys.value.split(/\s+/).filter(Boolean), properties: pairs(extra.value), delay: delay.value ? Number(delay.value) : null,
    });
    const where = `${sent.broker}/${sent.queue_id}, offset ${sent.queue_offset}`;
    result.prepend(note("good", `${sent.status === "SEND_OK" ? "Sent" : sent.status} `, name(`to ${where}: `),
      h("a", { class: "mono wrap", href: to("message", { id: sent.offset_id || sent.message_id, topic: sent.topic }) }, visible(sent.message_id))));
    while (result.children.length > 5) result.lastChild.remove();
  };
  root.append(h("form", {
    class: "stack",
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await send();
      } catch (error) {
        if (!signal.aborted) result.replaceChildren(note("error", visible(error.message)));
      } finally {
        button.disabled = false;
      }
    },
  }, card("Message", h("div", { class: "body stack" },
    h("div", { class: "fields" }, topic.element, field("Tag", tagInput), field("Keys", keys), field("Delay in seconds", delay)),
    field("Body", body, true), field("Properties", extra, true), h("div", null, button)))), result);
  return { every: 0 };
}
