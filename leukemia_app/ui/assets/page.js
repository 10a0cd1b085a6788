// The page's own script: giving pictures, the map's slider, dialogs, keys, and saving files.
// It talks to the server only through Gradio's upload and events.
window.smear = (() => {
  "use strict";
  const root = document.documentElement;
  const choice = { strength: 0, outline: true, oneSmear: true };
  let channel = null; // how the drop zone reaches the server: { trigger, upload, limits }
  let busySince = 0;
  let isNew = false; // whether what comes is another picture's answer

  function connected() { // counted, so that a test knows when the page answers to clicks
    root.dataset.connected = Number(root.dataset.connected || 0) + 1;
  }

  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // ---- waiting ------------------------------------------------------------------------------
  function busy(text) {
    busySince = busySince || Date.now();
    root.classList.add("s-busy");
    const status = find("#status .s-status-text");
    if (status && text) status.textContent = text;
    find("#answer")?.setAttribute("aria-busy", "true");
  }

  function idle() {
    busySince = 0;
    root.classList.remove("s-busy");
    find("#answer")?.removeAttribute("aria-busy");
    settle();
    if (isNew && matchMedia("(max-width: 899px)").matches) requestAnimationFrame(reveal);
    isNew = false;
  }

  function reveal() { // on one column the decision may be out of sight
    const decision = find("#answer .s-decision");
    const place = decision?.getBoundingClientRect();
    if (place && (place.top < 0 || place.bottom > innerHeight)) decision.scrollIntoView();
  }

  // ---- giving pictures ----------------------------------------------------------------------
  async function send(files, mode) {
    files = [...files];
    if (!channel || !files.length || busySince) return;
    const { trigger, upload, words, limitBytes, maxFiles } = channel;
    isNew = true;
    if (mode === "new") choice.oneSmear = true;
    const given = files.slice(0, maxFiles).map((file) => ({ name: nameOf(file) }));
    let sent = 0;
    const queue = given.map((entry, index) => [entry, files[index]]);
    const say = () => busy(words.sending.replace("{done}", sent).replace("{n}", given.length));
    say();
    const worker = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [entry, file] = next;
        if (file.size > limitBytes) entry.problem = "too_large";
        else {
          try { entry.path = (await upload(file)).path; } catch { entry.problem = "not_sent"; }
          if (!entry.path && !entry.problem) entry.problem = "not_sent";
        }
        sent += 1;
        say();
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    trigger("give", { files: given, mode, n: files.length });
  }

  function nameOf(file) {
    // browsers call every pasted picture image.png
    return file.pasted ? "pasted " + file.name : file.name;
  }

  function drop(element, trigger, upload) {
    const zone = find("[data-limits]", element);
    channel = { trigger, upload, ...JSON.parse(zone.dataset.limits) };
    let mode = "new";
    element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-mode]");
      if (!button) return;
      mode = button.dataset.mode;
      find("input[type=file]", element).click();
    });
    element.addEventListener("change", (event) => {
      if (event.target.type !== "file") return;
      send(event.target.files, mode);
      event.target.value = "";
      mode = "new";
    });
    connected();
  }

  let depth = 0;
  const hasFiles = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  document.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    root.classList.add("s-dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) root.classList.remove("s-dragging");
  });
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = 0;
    root.classList.remove("s-dragging");
    send(event.dataTransfer.files, "new");
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files || [])];
    if (!files.length || event.target.closest?.("input, textarea, [contenteditable]")) return;
    event.preventDefault();
    files.forEach((file) => { file.pasted = true; });
    send(files, "new");
  });

  // ---- parts that ask the server ------------------------------------------------------------
  // data-ask="event" on a control sends its data-value (or value) with the named event
  function asks(element, trigger) {
    const ask = (control) => {
      if (busySince || control.disabled) return;
      busy(control.dataset.wait || "");
      isNew = ["example", "pick"].includes(control.dataset.ask);
      if (control.dataset.ask === "pick") mark(control);
      trigger(control.dataset.ask, { value: control.dataset.value ?? control.value, ...choice });
    };
    element.addEventListener("click", (event) => {
      const control = event.target.closest("button[data-ask]");
      if (!control || control.getAttribute("aria-current") === "true") return;
      control.closest("dialog")?.close();
      ask(control);
    });
    element.addEventListener("change", (event) => {
      const control = event.target.closest("select[data-ask], input[type=radio][data-ask]");
      if (control) ask(control);
    });
    connected();
  }

  function mark(tile) { // the server does not send the row again for this
    all('#smear [aria-current="true"]').forEach((other) => other.removeAttribute("aria-current"));
    tile.setAttribute("aria-current", "true");
  }

  // ---- the map, the outline, what the pictures are of: without the server ---------------------
  function settle() {
    root.style.setProperty("--s-strength", choice.strength / 100);
    root.classList.toggle("s-no-outline", !choice.outline);
    all("[data-strength]").forEach((slider) => {
      slider.value = choice.strength;
      slider.setAttribute("aria-valuetext", choice.strength + " %");
    });
    all("[data-outline]").forEach((box) => { box.checked = choice.outline; });
    root.classList.toggle("s-separate", !choice.oneSmear);
    all("[data-smear]").forEach((radio) => {
      radio.checked = (radio.dataset.smear === "one") === choice.oneSmear;
    });
    const open = find('#smear [aria-current="true"]');
    const strip = open?.closest("ol");
    if (strip) {
      const item = open.parentElement;
      strip.scrollLeft = item.offsetLeft - (strip.clientWidth - item.clientWidth) / 2;
    }
    edges();
  }
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-strength]")) return;
    choice.strength = Number(event.target.value);
    settle();
  });
  document.addEventListener("change", (event) => {
    const target = event.target;
    if (target.matches?.("[data-outline]")) choice.outline = target.checked;
    else if (target.matches?.("[data-smear]")) choice.oneSmear = target.dataset.smear === "one";
    else return;
    settle();
  });

  // ---- what scrolls sideways fades where more of it is hidden ---------------------------------
  function edges() {
    all(".s-gallery ul, .s-strip, .s-scroll").forEach((row) => {
      row.classList.toggle("s-more-left", row.scrollLeft > 1);
      row.classList.toggle(
        "s-more-right", row.scrollLeft + row.clientWidth < row.scrollWidth - 1);
    });
  }
  for (const [target, name] of [[document, "scroll"], [window, "resize"], [document, "toggle"]]) {
    target.addEventListener(name, edges, { capture: true, passive: true });
  }

  // ---- dialogs: data-open names one, data-close is inside, data-enlarge shows a picture ------
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-open]");
    if (opener) {
      document.getElementById(opener.dataset.open)?.showModal();
      edges();
    }
    const enlarge = event.target.closest?.("[data-enlarge]");
    if (enlarge) {
      const zoom = document.getElementById("s-zoom");
      const picture = find("img", enlarge);
      find("img", zoom).src = picture.src;
      find("img", zoom).alt = picture.alt;
      find("h2", zoom).textContent = enlarge.dataset.enlarge;
      zoom.showModal();
    }
    const dialog = event.target.closest?.("dialog");
    if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) dialog.close();
  });

  // ---- left and right move between pictures ---------------------------------------------------
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.target.closest?.("input, select, textarea, [role=tab], dialog[open]")) return;
    const pictures = all("#smear button[data-ask=pick]");
    const at = pictures.findIndex((button) => button.getAttribute("aria-current") === "true");
    const next = pictures[at + step];
    if (at < 0 || !next) return;
    event.preventDefault();
    if (document.activeElement?.closest("#smear ol")) next.focus({ preventScroll: true });
    next.click();
  });

  // ---- saving what the server made ------------------------------------------------------------
  function save(file) {
    idle();
    if (!file || !file.name) return;
    const bytes = Uint8Array.from(atob(file.base64), (letter) => letter.charCodeAt(0));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: file.type }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  }

  // ---- a model that the visitor has just trained ----------------------------------------------
  function choose(model) {
    const list = find("#s-model");
    if (!list) return;
    if (![...list.options].some((option) => option.value === model)) {
      list.add(new Option(model, model));
    }
    list.value = model;
    list.dispatchEvent(new Event("change", { bubbles: true }));
  }

  return { asks, busy, choose, drop, idle, save, settle };
})();
