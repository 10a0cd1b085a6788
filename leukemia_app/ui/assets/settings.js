// The settings of a training: what is typed or unfolded stays while the server draws the form anew.
(() => {
  "use strict";
  const FORM = "#t-model";
  const unsent = new Map(); // what was chosen since the form was last sent, by the field's name
  let typing = null; // the field that somebody is typing in
  let focused = "";

  const find = (selector) => document.querySelector(selector);
  const isField = (target) => target.matches?.(`${FORM} [data-change], ${FORM} [data-plan]`);
  const nameOf = (field) => {
    const kind = field.dataset.change ? "change" : "plan";
    const type = field.type === "checkbox" ? "[type=checkbox]" : ":not([type=checkbox])";
    return `${FORM} [data-${kind}="${field.dataset[kind]}"]${type}`;
  };

  document.addEventListener("smear-asked", () => unsent.clear());

  document.addEventListener("input", (event) => {
    if (isField(event.target) && event.target.matches("input:not([type=checkbox])")) {
      typing = event.target;
    }
  });

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (!isField(field)) return;
    typing = null;
    unsent.set(nameOf(field), field.type === "checkbox" ? field.checked : field.value);
  });

  document.addEventListener("focusin", (event) => {
    focused = isField(event.target) ? nameOf(event.target) : "";
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-resets]");
    if (!button) return;
    button.dataset.resets.split(" ").forEach((name) => {
      document.querySelectorAll(`${FORM} [data-change="${name}"]`).forEach((field) => {
        delete field.dataset.changed;
        unsent.delete(nameOf(field));
      });
    });
    window.smearTrain.plan();
  });

  document.addEventListener("toggle", (event) => { // its pictures are made when it is opened
    const fold = event.target;
    if (fold.matches?.(`${FORM} [data-fold]`) && fold.open && !fold.dataset.drawn) {
      window.smearTrain.ask("plan");
    }
  }, true);

  function redrawn() { // in the same moment as the new form: nobody sees the old values
    unsent.forEach((value, name) => {
      const field = find(name);
      if (!field) return;
      if (field.type === "checkbox") field.checked = value;
      else field.value = value;
      if (field.dataset.change) window.smearTrain.mark(field);
    });
    if (typing && !typing.isConnected) {
      find(nameOf(typing))?.replaceWith(typing);
      typing.focus({ preventScroll: true });
    } else if (focused && document.activeElement === document.body) {
      find(focused)?.focus({ preventScroll: true });
    }
  }

  function watch() {
    const form = find(FORM);
    if (!form) return setTimeout(watch, 100);
    new MutationObserver(redrawn).observe(form, { childList: true, subtree: true });
  }
  watch();
})();
