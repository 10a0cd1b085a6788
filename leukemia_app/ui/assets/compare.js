// Runs that are to be compared: their boxes stay checked while the list is drawn anew.
(() => {
  "use strict";
  const chosen = new Set();

  function shown() {
    const boxes = [...document.querySelectorAll("#t-side [data-compared]")];
    const known = new Set(boxes.map((box) => box.dataset.compared));
    chosen.forEach((name) => known.has(name) || chosen.delete(name));
    boxes.forEach((box) => { box.checked = chosen.has(box.dataset.compared); });
    const open = boxes.filter((box) => box.checked);
    const button = document.querySelector("#t-side [data-train=compare]");
    if (!button) return;
    const [least, most] = button.dataset.between.split(" ").map(Number);
    button.disabled = open.length < least || open.length > most;
  }

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!box.matches?.("[data-compared]")) return;
    if (box.checked) chosen.add(box.dataset.compared);
    else chosen.delete(box.dataset.compared);
    shown();
  });

  function watch() {
    const side = document.querySelector("#t-side");
    if (!side) return setTimeout(watch, 100);
    new MutationObserver(shown).observe(side, { childList: true, subtree: true });
  }
  watch();
})();
