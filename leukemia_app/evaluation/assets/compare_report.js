// Sorts the table of models and moves the slider of referrals; works on whatever is or comes into
// the page. Without it, and on paper, the tables say the same.
(() => {
  "use strict";

  const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  function refer(box) {
    const at = Number(box.querySelector("input").value);
    const points = JSON.parse(box.dataset.points);
    box.hidden = false;
    box.querySelector("output").textContent = at;
    box.querySelectorAll("tbody tr").forEach((row) => {
      const point = points[row.querySelector("th").textContent][at];
      const wrong = sum(point.wrong);
      const words = [point.answered.toLocaleString("en"), wrong.toLocaleString("en"),
        percent(wrong, point.answered), ...point.wrong.map((n) => n.toLocaleString("en")),
        `${(100 * point.from).toFixed(1)} %`];
      row.querySelectorAll("td").forEach((cell, place) => { cell.textContent = words[place]; });
    });
  }

  function makeSortable(table) {
    if (table.dataset.live) return;
    table.dataset.live = "yes";
    table.querySelectorAll("thead th").forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => sort(table, column));
    });
  }

  function sort(table, column) {
    const heads = [...table.querySelectorAll("thead th")];
    const down = heads[column].getAttribute("aria-sort") !== "descending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => {
      const cell = row.children[column];
      if (column === 0) return cell.textContent;
      return cell.dataset.value === "" ? -Infinity : Number(cell.dataset.value);
    };
    const body = table.querySelector("tbody");
    const order = (a, b) => (column === 0 ? value(b).localeCompare(value(a)) : value(b) - value(a));
    [...body.rows].sort((a, b) => (down ? order(a, b) : order(b, a)))
      .forEach((row) => body.append(row));
  }

  function start(root) {
    root.querySelectorAll(".c-refer").forEach(refer);
    root.querySelectorAll(".r-sortable").forEach(makeSortable);
  }

  document.addEventListener("input", (event) => {
    const box = event.target.closest(".c-refer");
    if (box) refer(box);
  });
  start(document);
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) => {
    if (node.querySelectorAll) start(node);
  }))).observe(document.documentElement, { childList: true, subtree: true });
})();
