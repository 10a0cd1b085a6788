// Opens the pictures of a confusion cell and moves the slider of referrals; works on whatever is or
// comes into the page. Without it, and on paper, the tables say the same.
(() => {
  "use strict";

  const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  function refer(box) {
    const slider = box.querySelector("input");
    const points = JSON.parse(box.dataset.points);
    const point = points[Number(slider.value)];
    const answered = sum(point.answered);
    const wrong = sum(point.wrong);
    box.hidden = false;
    box.querySelector("output").textContent = slider.value;
    box.querySelector(".r-told").textContent =
      `${percent(point.referred, 1)} are referred: every top probability under ` +
      `${(100 * point.from).toFixed(1)} %. Of ${answered.toLocaleString("en")} answers ` +
      `${wrong.toLocaleString("en")} are wrong.`;
    const rows = [[answered, wrong], ...point.answered.map((n, at) => [n, point.wrong[at]])];
    box.querySelectorAll("tbody tr").forEach((row, at) => {
      const [n, amiss] = rows[at];
      const words = [n.toLocaleString("en"), amiss.toLocaleString("en"), percent(amiss, n)];
      row.querySelectorAll("td").forEach((cell, place) => { cell.textContent = words[place]; });
    });
  }

  function openCell(place) {
    const cell = place.closest("details");
    document.querySelectorAll(".r-cells details[open]").forEach((other) => {
      if (other !== cell) other.open = false;
    });
    cell.open = true;
    cell.scrollIntoView({ block: "nearest" });
    place.focus({ preventScroll: true });
  }

  function start(root) {
    root.querySelectorAll(".r-refer").forEach(refer);
    // Only what can be scrolled needs to be reached by the keyboard.
    root.querySelectorAll(".r-wide").forEach((wide) => {
      if (wide.clientWidth && wide.scrollWidth <= wide.clientWidth) wide.removeAttribute("tabindex");
    });
    // Cells are chosen in the table, so that their list need not be read.
    root.querySelectorAll(".r-cells").forEach((cells) => { cells.dataset.live = ""; });
  }

  document.addEventListener("input", (event) => {
    const box = event.target.closest(".r-refer");
    if (box) refer(box);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('.r-confusion a, nav a[href^="#"]');
    const place = link && document.getElementById(link.hash.slice(1));
    if (!place) return;
    // Followed in a frame, a place of this page would be one of the page around it.
    event.preventDefault();
    if (link.closest("nav")) place.scrollIntoView();
    else openCell(place);
  });
  start(document);
  // In a page that loads its pieces later, each is made live when it comes.
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach((node) => {
    if (node.querySelectorAll) start(node);
  }))).observe(document.documentElement, { childList: true, subtree: true });
})();
