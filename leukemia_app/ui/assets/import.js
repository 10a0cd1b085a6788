// The way in for Keras checkpoints: sending a file, and asking the server about it.
window.smearImport = (() => {
  "use strict";
  const root = document.documentElement;
  let trigger = null; // how this pane reaches the server
  let waiting = false;
  let asked = ""; // what the server was last asked for
  let typed = {}; // by field, what was typed while the server tried what stood there before

  const MAX_LABELS = 20000; // characters, as many as the server takes
  const fields = (form) => Object.fromEntries(new FormData(form));
  const find = (selector) => document.querySelector(selector);
  const rules = () => JSON.parse(find("section[data-import]").dataset.import);

  function say(words) {
    for (const place of document.querySelectorAll(".i-progress")) place.textContent = words;
  }

  function wait(words) {
    waiting = words !== "";
    root.classList.toggle("s-importing", waiting);
    say(words);
  }

  function ask(what, words, more) {
    if (!trigger || waiting) return;
    wait(words);
    [asked, typed] = [what, {}];
    root.dataset.modelsSays = "import";
    const form = find("[data-import-form]");
    trigger("ask", { what, fields: form ? fields(form) : null, ...more });
  }

  // Against what the server drew, which is what was tried.
  function isChanged(control) {
    if (!control.name) return false;
    if (control.options) return [...control.options].some((each) => each.selected !== each.defaultSelected);
    return control.value !== control.defaultValue;
  }

  // Only what was tried can be kept; the server sees to it too.
  function judge() {
    const form = find("[data-import-form]");
    const keep = find("button[data-import=keep]");
    if (!form || !keep) return;
    const stale = [...form.elements].some(isChanged);
    keep.disabled = stale;
    find(".i-stale").textContent = stale ? rules().stale : "";
  }

  // Gradio changes what differs and leaves the rest, with what was typed into it, as it is.
  function redraw() {
    const form = find("[data-import-form]");
    form?.reset();
    for (const [name, value] of Object.entries(typed)) {
      if (form?.elements[name]) form.elements[name].value = value;
    }
    typed = {};
    judge();
  }

  function answered() {
    wait("");
    redraw();
    const place = find("#i-tried") || find("#i-form [role]") || find("#i-found");
    if (place) place.scrollIntoView({ block: "nearest" });
  }

  async function send(file) {
    if (!file || !trigger || waiting) return;
    const words = rules();
    if (file.size > words.limitBytes) return say(words.tooLarge);
    wait(words.sending.replace("{percent}", 0));
    let path = null;
    try {
      path = await window.smearModels.upload(
        file, (percent) => say(words.sending.replace("{percent}", percent)));
    } catch { path = null; }
    wait("");
    if (typeof path !== "string") return say(words.lost);
    ask("look", words.opening, { files: [[file.name, path]] });
  }

  // Before the Models tab's own listener, which takes every drop for the zip of a model.
  document.addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    const zone = find("section[data-import]");
    if (!file || !zone || zone.offsetParent === null) return;
    if (!/\.(keras|h5|hdf5)$/i.test(file.name) && !event.target.closest?.("section[data-import]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    root.classList.remove("s-dragging");
    send(file);
  }, true);

  async function takeLabels(file) {
    const area = find("[data-import-form] textarea[name=labels]");
    if (!file || !area) return;
    area.value = (await file.text()).slice(0, MAX_LABELS).trim();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }

  document.addEventListener("input", (event) => {
    const { name, value } = event.target;
    if (!name || !event.target.closest?.("[data-import-form]")) return;
    if (waiting && asked !== "look") typed[name] = value; // another file has answers of its own
    judge();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-import-labels]")) {
      takeLabels(event.target.files[0]);
      event.target.value = "";
    }
    if (!event.target.matches?.("[data-import-pick]")) return;
    send(event.target.files[0]);
    event.target.value = "";
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-import]");
    if (!button || waiting) return;
    if (button.dataset.import === "pick") return find("[data-import-pick]").click();
    if (button.dataset.import === "labels") return find("[data-import-labels]").click();
    ask(button.dataset.import, rules().keeping, {});
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches?.("[data-import-hub]")) {
      event.preventDefault();
      const repo = new FormData(form).get("repo").trim();
      if (repo) ask("look", rules().opening, { repo });
    } else if (form.matches?.("[data-import-form]")) {
      event.preventDefault();
      ask("try", rules().building, {});
    }
  });

  function connect(way) { trigger = way; }

  return { answered, connect };
})();
