// The Compare tab's script: which models, giving pictures and sets, votes, and asking the server.
window.smearBeside = (() => {
  "use strict";
  const root = document.documentElement;
  let channel = null; // how this tab reaches the server: { trigger, upload }
  let waiting = false;
  let scoring = false;

  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const isHere = () => find("#b-give")?.offsetParent !== null && find("[data-beside-take]");
  const rules = () => JSON.parse(find("[data-beside-take]").dataset.besideTake);

  function say(words) {
    const place = find("#b-status .s-status-text");
    if (place) place.textContent = words;
  }

  function wait(on) {
    waiting = on;
    root.classList.toggle("b-busy", on);
  }

  function ask(what, more = {}) {
    if (!channel || waiting) return;
    wait(true);
    channel.trigger("ask", { what, ...more });
  }

  function score(disturbed) {
    if (!channel || scoring) return;
    wait(true);
    scoring = true;
    say(rules().inLine);
    channel.trigger("score", { disturbed });
  }

  function stop() {
    if (scoring) channel.trigger("stop", {});
  }

  function choose(map, stated = false) {
    ask("choose", {
      stated,
      models: all("[data-beside-model]:checked").map((box) => box.dataset.besideModel),
      blind: find('[data-beside="blind"]')?.checked === true,
      map: map ?? (find("[data-beside-map]")?.dataset.besideMap || ""),
    });
  }

  function typedMap() { // as the command line takes it: common = label, label; common = label
    const members = new Map();
    for (const field of all("[data-beside-label]")) {
      const common = field.value.replace(/[=;,]/g, " ").trim();
      if (common) members.set(common, [...(members.get(common) || []), field.dataset.besideLabel]);
    }
    return [...members].map(([common, labels]) => `${common} = ${labels.join(", ")}`).join("; ");
  }

  function answered(file) {
    wait(false);
    requestAnimationFrame(ticked);
    const wasScoring = scoring;
    scoring = false;
    if (file && file.name) window.smear.save(file);
    settle();
    if (!wasScoring && given) score(false);
    given = false;
  }

  // ---- giving --------------------------------------------------------------------------------
  let given = false; // whether a labelled set was just given, to be scored at once

  async function send(pairs) {
    if (!channel || waiting || !pairs.length) return;
    const words = rules();
    wait(true);
    const places = []; // as they were given, whichever arrives first
    let sent = 0;
    const queue = pairs.map((pair, at) => [at, ...pair]);
    const tell = () => say(words.sending.replace("{done}", sent).replace("{n}", pairs.length));
    tell();
    const worker = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [at, name, file] = next;
        const limit = /\.zip$/i.test(name) ? words.zipBytes : words.limitBytes;
        let path = null;
        if (file.size <= limit) {
          try { path = (await channel.upload(file)).path; } catch { path = null; }
        }
        if (path) places[at] = [name, path];
        sent += 1;
        tell();
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    wait(false);
    const files = places.filter(Boolean);
    given = files.some(([name]) => name.includes("/") || /\.zip$/i.test(name));
    ask("give", { files, lost: pairs.length - files.length });
  }

  document.addEventListener("drop", async (event) => {
    if (!isHere()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    root.classList.remove("s-dragging");
    const list = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    send(await window.smearTrain.entries(list.filter(Boolean)));
  }, true);

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (!isHere() || !files.length || event.target.closest?.("input, textarea")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    send(files.map((file) => ["pasted " + file.name, file]));
  }, true);

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches?.("[data-beside-pick]")) {
      send([...field.files].map((file) => [file.webkitRelativePath || file.name, file]));
      field.value = "";
    } else if (field.matches?.("[data-beside-model]")) {
      choose();
    } else if (field.matches?.('[data-beside="blind"]')) {
      choose();
    }
  });

  document.addEventListener("click", (event) => {
    const opens = event.target.closest?.("[data-beside-opens]");
    if (opens) find(`[data-beside-pick="${opens.dataset.besideOpens}"]`).click();
    const control = event.target.closest?.("button[data-beside]");
    if (!control) return;
    const what = control.dataset.beside;
    if (what === "stop") return stop();
    if (waiting) return;
    if (what === "state-map") choose(typedMap(), true);
    else if (what === "forget-map") choose("");
    else if (what === "disturb") score(true);
    else if (what === "again") score(false);
    else ask(what, { value: control.dataset.value });
  });

  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-beside-strength]")) return;
    root.style.setProperty("--b-strength", event.target.value / 100);
  });

  function settle() { // a new answer comes with a new slider
    const strength = parseFloat(root.style.getPropertyValue("--b-strength") || "0.5");
    const slider = find("[data-beside-strength]");
    if (slider) slider.value = 100 * strength;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.dataset?.besideLabel) choose(typedMap(), true);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !isHere() || event.target.closest?.("input, [role=tab], dialog[open]")) return;
    const pictures = all(".b-strip button");
    const at = pictures.findIndex((button) => button.getAttribute("aria-current") === "true");
    if (at >= 0) pictures[at + step]?.click();
  });

  function ticked() { // what is drawn is patched in place: a tick would stay where another model is
    if (waiting) return; // the reader's own tick is on its way
    for (const box of all("#b-picker input[type=checkbox]")) box.checked = box.defaultChecked;
  }

  function connect(element, trigger, upload) {
    channel = { trigger, upload };
    new MutationObserver(ticked).observe(
      find("#b-picker"), { childList: true, subtree: true, attributes: true });
    root.dataset.beside = "connected";
  }

  return { answered, connect };
})();
