// Forms in dialogs: to create, to change, and to delete something by its name.

import { dialog, failures, field, h, name, note, visible } from "/dom.js";

/**
 * A dialog with a form.
 * @param run does what was asked for; the dialog closes if it returns true
 */
export function formDialog({ title, content, action, danger = false, run }) {
  const problem = h("div", { "aria-live": "polite", class: "stack" });
  const submit = h("button", { type: "submit", form: "dialog-form", class: danger ? "danger" : "primary" }, action);
  const form = h("form", {
    id: "dialog-form", class: "stack",
    onsubmit: async (event) => {
      event.preventDefault();
      if (submit.disabled) return;
      submit.disabled = true;
      problem.replaceChildren();
      try {
        if (await run(problem)) box.close();
      } catch (error) {
        problem.replaceChildren(note("error", visible(error.message)));
      } finally {
        submit.disabled = false;
      }
    },
  }, content, problem);
  const box = dialog(title, form, [h("button", { type: "button", onclick: () => box.close() }, "Cancel"), submit]);
  return { box, submit };
}

/** Say who has not done what was asked for; return whether all have. */
export function allDone(changed, problem, what) {
  const note = failures(changed.failed, what);
  problem.replaceChildren(...[note].filter(Boolean));
  return note === null;
}

/**
 * Ask whether something is to be deleted: its name has to be typed.
 * @param meaning what will be gone, as elements
 */
export function deleteDialog({ kind, name: what, meaning, run }) {
  const typed = h("input", { autocomplete: "off", spellcheck: "false", autocapitalize: "off", oninput: () => check() });
  const { submit } = formDialog({
    title: `Delete the ${kind}`,
    content: [meaning, field(h("span", null, "To delete it, type its name: ", h("strong", null, name(what))), typed, true)],
    action: `Delete the ${kind}`, danger: true,
    run: (problem) => (isName() ? run(problem) : false),
  });
  // A name with characters that nobody can see is typed as it is shown.
  const isName = () => [what, visible(what)].includes(typed.value.trim());
  const check = () => { submit.disabled = !isName(); };
  check();
  typed.focus();
}

const YES_NO = [["true", "yes"], ["false", "no"]];

/**
 * Inputs for settings.
 * @param fields [{key, label, kind: "number" | "choice" | "yes or no" | "pairs", start, options, min, max, help}]
 * @param known the settings of each broker; none for something new. Where they differ, the input is empty, and stays so
 * unless something is entered
 */
export function settings(fields, known = []) {
  const inputs = fields.map((each) => {
    const values = known.length ? [...new Set(known.map((one) => text(each, one[each.key])))] : [text(each, each.start)];
    const differs = values.length > 1;
    const input = control({ ...each, differs }, differs ? "" : values[0], values);
    return { ...each, differs, before: known.length && !differs ? values[0] : null, input };
  });
  return {
    elements: inputs.map((each) => {
      if (each.help) each.input.setAttribute("aria-describedby", `help-${each.key}`);
      return h("div", { class: each.kind === "pairs" ? "field wide" : "field" }, field(each.label, each.input, true),
        each.help ? h("small", { class: "muted", id: `help-${each.key}` }, each.help) : null);
    }),
    /** Return what is entered, without what stays as it is. */
    entered() {
      const found = {};
      for (const { key, kind, differs, before, input } of inputs) {
        const value = input.value.trim();
        if (value === before || (differs && value === "")) continue;
        found[key] = kind === "pairs" ? changed(pairs(before ?? ""), pairs(value)) : { number: Number, "yes or no": (v) => v === "true" }[kind]?.(value) ?? value;
      }
      return found;
    },
  };
}

const text = (each, value) => (each.kind === "pairs" ? Object.entries(value).sort().map(([k, v]) => `${k}=${v}`).join("\n") : String(value));

function control(each, value, values) {
  const kept = `${values.join(" or ")}: as it is`;
  if (each.kind === "number") {
    return h("input", { type: "number", min: each.min, max: each.max, step: 1, required: !each.differs, value, placeholder: each.differs ? kept : null });
  }
  if (each.kind === "pairs") {
    return h("textarea", { rows: 2, spellcheck: "false", value, placeholder: each.differs ? "differs between brokers; only what is entered changes" : "name=value, one a line" });
  }
  const options = each.kind === "choice" ? each.options : YES_NO;
  const named = options.some(([v]) => v === value) || each.differs ? options : [[value, visible(value)], ...options];
  return h("select", null, each.differs ? h("option", { value: "" }, visible(kept)) : null,
    named.map(([v, label]) => h("option", { value: v, selected: v === value }, label)));
}

/** Read lines of name=value. */
export function pairs(lines) {
  const found = {};
  for (const line of lines.split("\n").map((each) => each.trim()).filter(Boolean)) {
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`“${line}” is not name=value.`);
    found[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return found;
}

/** Return what is new or different; what is gone has an empty value. */
function changed(before, after) {
  const gone = Object.keys(before).filter((key) => !(key in after)).map((key) => [key, ""]);
  return Object.fromEntries([...gone, ...Object.entries(after).filter(([key, value]) => before[key] !== value)]);
}
