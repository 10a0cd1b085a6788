// Keys of the review of a run's answers, and where focus and words go when it is drawn anew.
(() => {
  "use strict";
  const find = (selector, from = document) => from.querySelector(selector);
  const pane = () => find("#t-review .s-review");
  let held = null; // what had the focus when the pane was last asked something
  let said = null; // what the pane showed when it was asked for something else
  let voice = null;

  // ---- keys: a button says which are its own ---------------------------------------------------
  function name(event) {
    if (event.altKey || (event.shiftKey && event.key.length > 1)) return "";
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    return event.ctrlKey || event.metaKey ? "ctrl+" + key : key;
  }

  document.addEventListener("keydown", (event) => {
    const shown = pane();
    if (!shown || shown.offsetParent === null || event.isComposing) return;
    if (!shown.contains(document.activeElement) && !shown.matches(":hover")) return;
    if (event.target.closest?.("input, select, textarea, [contenteditable=true]")) return;
    if (event.key.startsWith("Arrow") && event.target.closest?.("[role=tab]")) return;
    if (find("dialog[open]")) return;
    const key = name(event);
    const button = key && find(`[data-keys~="${CSS.escape(key)}"]`, shown);
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // A key that is held down moves on, and decides nothing about what nobody has seen.
    if (event.repeat && button.dataset.train !== "review") return;
    if (!button.disabled) button.click();
  }, true);

  // ---- drawn anew: the focus stays where it was, and a voice says what is shown ----------------
  const watch = new MutationObserver(drawn);
  document.addEventListener("click", (event) => {
    const shown = pane();
    if (!shown?.contains(event.target) || !event.target.closest("[data-train]")) return;
    said = shown.dataset.says;
    watch.observe(find("#t-review"), { childList: true, subtree: true, attributes: true });
    const at = document.activeElement;
    held = shown.contains(at) ? [at.dataset.keys, at.dataset.cell] : null;
  }, true);

  function drawn() {
    const shown = pane();
    if (!shown || said === null || shown.dataset.says === said) return;
    said = null;
    if (held && !shown.contains(document.activeElement)) {
      const [keys, cell] = held;
      const same = keys ? find(`[data-keys="${CSS.escape(keys)}"]`, shown)
        : cell ? find(`[data-cell="${CSS.escape(cell)}"]`, shown) : null;
      (same && !same.disabled ? same : shown).focus({ preventScroll: true });
    }
    if (!voice) {
      voice = document.createElement("p");
      voice.className = "s-unseen";
      voice.setAttribute("role", "status");
      document.body.append(voice);
    }
    voice.textContent = shown.dataset.says;
  }
})();
