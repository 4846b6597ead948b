// An input for a topic, with suggestions from the server: there may be 10,000.

import { get } from "/api.js";
import { field, h, visible } from "/dom.js";

let lists = 0;

export function topicInput({ value = "", label = "Topic", required = true, onchange } = {}) {
  lists += 1;
  const options = h("datalist", { id: `topics-${lists}` });
  let timer = 0;
  const suggest = async () => {
    try {
      const page = await get("topics", { search: input.value, limit: 20 });
      options.replaceChildren(...page.items.map((t) => h("option", { value: t.name }, visible(t.name))));
    } catch {
      // It stays an input without suggestions.
    }
  };
  const input = h("input", {
    value, required, list: options.id, autocomplete: "off", spellcheck: "false", maxlength: 255, name: "topic",
    onfocus: suggest,
    oninput: () => { clearTimeout(timer); timer = setTimeout(suggest, 200); },
    onchange: () => onchange?.(input.value.trim()),
  });
  return { element: h("div", { class: "field grow" }, field(label, input, true), options), input };
}
