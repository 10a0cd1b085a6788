// The way in for Keras checkpoints: sending a file, and asking the server about it.
window.smearImport = (() => {
  "use strict";
  const root = document.documentElement;
  let trigger = null; // how this pane reaches the server
  let waiting = false;

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
    root.dataset.modelsSays = "import";
    trigger("ask", { what, ...more });
  }

  function answered() {
    wait("");
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

  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-import-pick]")) return;
    send(event.target.files[0]);
    event.target.value = "";
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-import]");
    if (!button || waiting) return;
    if (button.dataset.import === "pick") return find("[data-import-pick]").click();
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
      ask("try", rules().building, { fields: Object.fromEntries(new FormData(form)) });
    }
  });

  function connect(way) { trigger = way; }

  return { answered, connect };
})();
