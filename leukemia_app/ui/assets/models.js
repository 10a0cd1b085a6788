// The Models tab's script: sending the zip of a model, and asking the server about models.
window.smearModels = (() => {
  "use strict";
  const root = document.documentElement;
  let trigger = null; // how this tab reaches the server
  let waiting = false;
  let sending = null; // the button of a push that is under way

  const find = (selector) => document.querySelector(selector);
  const isHere = () => find("#models")?.offsetParent !== null && find("[data-models-take]");
  const rules = () => JSON.parse(find("[data-models-take]").dataset.modelsTake);

  function say(words) {
    const place = find(".m-progress");
    if (place) place.textContent = words;
  }

  function wait(on) {
    waiting = on;
    root.classList.toggle("s-sending-model", on);
    if (!on) say("");
  }

  function ask(what, more) {
    if (!trigger || waiting) return;
    wait(true);
    root.dataset.modelsSays = "models";
    trigger("ask", { what, ...more });
  }

  function pull(form) { // told as it goes, so what was said stays in sight
    const repo = form.querySelector("#m-repo").value.trim();
    if (!trigger || waiting || !repo) return;
    waiting = true;
    root.classList.add("s-pulling");
    root.dataset.modelsSays = "models";
    trigger("pull", { repo, name: form.querySelector("#m-pull-name").value });
  }

  function push(button) {
    const field = button.closest("details")?.querySelector("input");
    const repo = button.dataset.repo || field?.value.trim();
    if (!repo) return field?.focus();
    if (!trigger || waiting) return;
    ask("push", { value: button.dataset.value, repo, overwrite: button.dataset.overwrite || "" });
    sending = { button, words: button.textContent };
    button.textContent = button.dataset.wait;
  }

  function answered(file) {
    wait(false);
    if (sending) sending.button.textContent = sending.words;
    sending = null;
    root.classList.remove("s-pulling");
    if (file && file.name) window.smear.save(file);
    const said = find("#m-said [role]");
    if (said?.matches(".m-note")) {
      for (const name of ["#m-name", "#m-pull-name", "#m-repo"]) {
        if (find(name)) find(name).value = "";
      }
    }
    if (said && find("#models").offsetParent !== null) said.scrollIntoView({ block: "nearest" });
  }

  // Gradio's own way to send tells nothing of how far it is
  function upload(file, progress) {
    return new Promise((done, failed) => {
      const form = new FormData();
      form.append("files", file);
      const request = new XMLHttpRequest();
      request.open("POST", new URL("gradio_api/upload", document.baseURI));
      request.upload.onprogress = (event) => {
        if (event.lengthComputable) progress(Math.floor(100 * event.loaded / event.total));
      };
      request.onload = () => {
        try { done(JSON.parse(request.responseText)[0]); } catch { failed(); }
      };
      request.onerror = request.onabort = failed;
      request.send(form);
    });
  }

  async function send(file) {
    if (!file || !trigger || waiting) return;
    const words = rules();
    if (file.size > words.limitBytes) return say(words.tooLarge);
    const name = find("#m-name")?.value || "";
    wait(true);
    say(words.sending.replace("{percent}", 0));
    let path = null;
    try {
      path = await upload(file, (percent) => say(words.sending.replace("{percent}", percent)));
    } catch { path = null; }
    wait(false);
    if (typeof path !== "string") return say(words.lost);
    ask("add", { files: [[file.name, path]], name });
    say(words.testing);
  }

  document.addEventListener("drop", (event) => {
    if (!isHere()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    root.classList.remove("s-dragging");
    send(event.dataTransfer.files[0]);
  }, true);

  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-models-pick]")) return;
    send(event.target.files[0]);
    event.target.value = "";
  });

  document.addEventListener("click", (event) => {
    // What was said of the last act is no news to who comes back.
    if (event.target.closest?.("[role=tab]") && !waiting) root.dataset.modelsSays = "nothing";
    if (event.target.closest?.("[data-opens-models]")) find("[data-models-pick]").click();
    const button = event.target.closest?.("[data-models]");
    if (!button || waiting) return;
    if (button.dataset.models === "push") return push(button);
    if (button.dataset.sure && !window.confirm(button.dataset.sure)) return;
    ask(button.dataset.models, { value: button.dataset.value });
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches?.("[data-models-pull]")) return;
    event.preventDefault();
    pull(event.target);
  });

  function connect(way) { trigger = way; }

  return { answered, connect, upload };
})();
