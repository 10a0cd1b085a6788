// The Train tab's script: giving folders, asking the server, and looking again while work is live.
window.smearTrain = (() => {
  "use strict";
  const KEY = "smear-train";
  const TICK_MS = 2000;
  const SENDERS = 6;
  let hub = null; // how this tab reaches the server: { trigger, upload }
  const LOST_MS = 15000; // a look that took longer does not come back any more
  let asked = 0; // requests on their way, ticks too: one at a time, or a late one draws over a new
  const wishes = []; // what the visitor asks for while an answer is on its way
  let lost = 0;
  let sending = false;
  let waiting = false; // whether a wish of the visitor's is under way: another must wait
  let planned = 0;
  let timer = 0;
  let pressed = null; // the button that says that its work is under way, and its own words
  let current = ""; // what is asked at the moment
  let open = ""; // the run that was shown before
  let linked = ""; // a run to open once the tab is there

  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // ---- what this browser remembers: its key, and what is open ----------------------------------
  const place = (() => {
    try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; }
  })();
  if (!place.owner) {
    const bytes = crypto.getRandomValues(new Uint8Array(32));
    place.owner = btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, "-");
  }
  function remember() {
    try { localStorage.setItem(KEY, JSON.stringify(place)); } catch { /* private window */ }
  }
  remember();

  // ---- asking --------------------------------------------------------------------------------
  function ask(what, more = {}) {
    if (!hub || (asked && what === "tick")) return;
    if (what !== "tick") waiting = true;
    if (asked) {
      if (what !== "plan" || !wishes.some(([other]) => other === "plan")) wishes.push([what, more]);
      document.documentElement.classList.add("s-asking");
      return;
    }
    asked += 1;
    current = what;
    clearTimeout(lost);
    if (what === "tick") lost = setTimeout(() => answered(null), LOST_MS);
    document.documentElement.classList.toggle("s-asking", waiting);
    hub.trigger("ask", {
      what, owner: place.owner, data: place.data || "", run: place.run || "", seen: seen(),
      fields: fields(), ...more,
    });
    if (what !== "tick") document.dispatchEvent(new Event("smear-asked"));
  }

  function answered(file) {
    asked = 0;
    clearTimeout(lost);
    if (!sending && !wishes.length) waiting = false;
    if (pressed && !wishes.length) release();
    document.documentElement.classList.toggle("s-asking", waiting);
    const side = find("#t-side [data-place]");
    if (side) {
      const { data, run } = JSON.parse(side.dataset.place);
      Object.assign(place, { data, run });
      remember();
    }
    lead();
    window.smear.save(file);
    if (wishes.length) ask(...wishes.shift());
    else look();
  }

  function press(button) {
    // Afterwards not the button of a run itself: pressed once more it may do something else.
    const next = button === document.activeElement && (button.closest("#t-run") || button);
    pressed = { button, words: button.textContent, next };
    button.textContent = button.dataset.busy;
    button.disabled = true;
  }

  function release() { // an answer changes it in its place or removes it, an error does neither
    const { button, words, next } = pressed;
    pressed = null;
    if (button.textContent === button.dataset.busy) button.textContent = words;
    button.disabled = false;
    if (next && document.activeElement === document.body) heed(next);
  }

  // ---- where to look: at the run that was opened or begun, or at what went wrong ---------------
  function lead() {
    const shown = find("#t-run [data-run]")?.dataset.run || "";
    const isNew = shown !== open && !["", "open", "tick"].includes(current);
    const wrong = current !== "tick" && find("#t-said [role=alert]");
    open = shown;
    if (wrong) show(find("#t-said"));
    else if ((shown && (isNew || current === "open-run")) || current === "compare") {
      show(find("#t-run"));
      heed(find("#t-run"));
    }
  }

  function show(part) {
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    part.scrollIntoView({ behavior: isStill ? "auto" : "smooth", block: "start" });
  }

  function heed(part) { // of a run the whole pane, named by its headings: it is never drawn anew
    if (part.id === "t-run") {
      part.tabIndex = -1;
      part.setAttribute("role", "group");
      part.setAttribute("aria-labelledby", "t-step-4 t-run-title");
    }
    part.focus({ preventScroll: true });
  }

  function openRun(run) { // from elsewhere in the page
    find("#tab-train-button")?.click();
    if (hub) ask("open-run", { value: run });
    else linked = run;
  }

  function seen() {
    const words = [];
    if (find('#t-pictures [data-live="1"]')) words.push("checking");
    if (find("#t-report iframe") && place.run) words.push("report:" + place.run);
    return words.join(" ");
  }

  function look() { // again after a while, as long as something is under way and somebody watches
    clearTimeout(timer);
    const isLive = find('#t-pictures [data-live="1"], #t-run [data-live="1"]');
    if (!isLive) return;
    timer = setTimeout(() => (document.hidden || waiting ? look() : ask("tick")), TICK_MS);
  }

  // ---- what the forms hold -------------------------------------------------------------------
  function fields() {
    const found = {
      changes: {},
      folds: all("#t-model [data-fold]").filter((fold) => fold.open).map(
        (fold) => fold.dataset.fold),
      scheme: document.body.classList.contains("dark") ? "dark" : "light",
      compared: all("#t-side [data-compared]:checked").map((box) => box.dataset.compared),
    };
    all("#t-model [data-plan]").forEach((field) => { found[field.dataset.plan] = field.value; });
    all("#t-model [data-changed]").forEach((field) => {
      found.changes[field.dataset.change] = changed(field);
    });
    all("#t-split [data-source]").forEach((field) => {
      found[field.dataset.source] = field.value;
    });
    const aliases = all("#t-pictures [data-alias]");
    if (aliases.length) {
      found.aliases = Object.fromEntries(aliases.map((each) => [each.dataset.alias, each.value]));
    }
    return found;
  }

  function mark(field) { // a switch and its strength are one setting: the last one touched counts
    all(`#t-model [data-change="${field.dataset.change}"]`).forEach((each) => {
      delete each.dataset.changed;
    });
    field.dataset.changed = "1";
  }

  function plan() {
    clearTimeout(planned);
    planned = setTimeout(() => ask("plan"), 300);
  }

  function changed(field) {
    if (field.dataset.change === "baselines") {
      return field.checked ? ["svc", "xgboost", "lda", "ridge_cv", "ridge"] : [];
    }
    const ends = field.dataset; // of a switch: the strength that it stands for
    if (ends.on) return Number(field.checked ? ends.on : ends.off);
    if (field.type === "checkbox") return field.checked;
    const text = field.value.trim();
    if (text === "") return field.dataset.change === "tune_from" ? "" : null;
    return Number.isNaN(Number(text)) ? text : Number(text);
  }

  // ---- giving pictures -----------------------------------------------------------------------
  function limits() {
    const zone = find("[data-take]");
    return zone && JSON.parse(zone.dataset.take);
  }

  async function send(pairs) {
    const rules = limits();
    if (!rules || !hub || !pairs.length || waiting) return;
    waiting = sending = true;
    const files = [];
    let sent = 0;
    let lost = 0;
    const say = () => window.smear.busy(
      rules.sending.replace("{done}", sent).replace("{n}", pairs.length));
    say();
    const isZip = (file) => /\.zip$/i.test(file.name);
    const queue = pairs.filter(
      ([, file]) => file.size <= (isZip(file) ? rules.zipBytes : rules.limitBytes));
    const tooLarge = pairs.length - queue.length;
    const worker = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [path, file] = next;
        try { files.push([path, (await hub.upload(file)).path]); } catch { lost += 1; }
        sent += 1;
        say();
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, worker));
    window.smear.idle();
    sending = false;
    ask("give", { files, fields: { too_large: tooLarge, lost } });
  }

  function entries(list) { // of a drop: a folder is read through, its paths are kept
    const read = (entry, path) => new Promise((done) => {
      const name = path + entry.name;
      if (entry.isFile) entry.file((file) => done([[name, file]]), () => done([]));
      else {
        const reader = entry.createReader();
        const found = [];
        const more = () => reader.readEntries(async (batch) => {
          if (!batch.length) return done((await Promise.all(found)).flat());
          batch.forEach((each) => found.push(read(each, name + "/")));
          more();
        }, () => done([]));
        more();
      }
    });
    return Promise.all(list.map((entry) => read(entry, ""))).then((found) => found.flat());
  }

  const isHere = () => find("#t-pictures")?.offsetParent !== null && find("[data-take]");
  document.addEventListener("drop", async (event) => {
    if (!isHere()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    document.documentElement.classList.remove("s-dragging");
    const list = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
    send(await entries(list.filter(Boolean)));
  }, true);

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches?.("[data-pick]")) {
      send([...field.files].map((file) => [file.webkitRelativePath || file.name, file]));
      field.value = "";
    } else if (field.matches?.("#t-model [data-plan], #t-model [data-change]")) {
      if (field.dataset.change) mark(field);
      plan();
    }
  });

  document.addEventListener("click", (event) => {
    const opens = event.target.closest?.("[data-opens]");
    if (opens) find(`[data-pick="${opens.dataset.opens}"]`).click();
    const whole = event.target.closest?.("[data-whole]");
    if (whole) find("iframe", whole.parentElement).requestFullscreen();
    const run = event.target.closest?.("[data-open-run]");
    if (run) return openRun(run.dataset.openRun);
    const button = event.target.closest?.("[data-train]");
    if (!button || waiting) return;
    if (button.dataset.sure && !window.confirm(button.dataset.sure)) return;
    if (button.dataset.train === "use") return use(button.dataset.value);
    if (button.dataset.busy) press(button);
    ask(button.dataset.train, { value: button.dataset.value || "" });
  });

  function use(model) { // in Classify: the list there knows it once it has looked again
    find("#tabs [role=tab]").click();
    window.smear.choose(model);
  }

  document.documentElement.classList.toggle("s-no-whole", !document.fullscreenEnabled);

  function connect(element, trigger, upload) {
    hub = { trigger, upload };
    ask("open");
    if (linked) ask("open-run", { value: linked });
    linked = "";
  }

  return { answered, ask, connect, entries, mark, plan };
})();
