// Tables: a box filters the rows, or the entries of a long legend, and a click on a header sorts.
for (const input of document.querySelectorAll("input[data-filters]")) {
  const things = [...document.getElementById(input.dataset.filters).children];
  const texts = things.map(one => [...(one.cells ?? [one])].map(cell => cell.textContent.toLowerCase()));
  const said = input.closest(".filter").querySelector("output");
  const filter = () => {
    const wanted = input.value.trim().toLowerCase();
    let count = 0;
    things.forEach((one, i) => {
      one.hidden = !texts[i].some(text => text.includes(wanted));
      count += !one.hidden;
    });
    said.textContent = fill(said.dataset.says, {shown: count, all: things.length});
  };
  input.addEventListener("input", filter);
  filter();
}

// The number that a cell begins with, its word where it has none, or nothing: in this order they are sorted.
function sortKey(cell) {
  const text = cell.textContent.trim(), found = text.replaceAll(",", "").match(/^[-+]?\d*\.?\d+(e[-+]?\d+)?/i);
  if (text === "" || text === "-") return [2, ""];
  return found && !cell.classList.contains("text") ? [0, Number(found[0])] : [1, text];
}
// Texts by their words and by the numbers in them: learning_rate=0.02 comes before learning_rate=0.1.
const alphabet = new Intl.Collator(document.documentElement.lang).compare;
const parts = text => text.split(/(\d+(?:\.\d+)?(?:e[-+]?\d+)?)/);
function byText(one, other) {
  const [a, b] = [parts(one), parts(other)];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const found = i % 2 ? a[i] - b[i] : alphabet(a[i], b[i]);  // every second part is a number
    if (found) return found;
  }
  return a.length - b.length;
}

for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0], original = [...body.rows];
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => header.querySelector(".sort")?.addEventListener("click", () => {
    const next = {none: "ascending", ascending: "descending", descending: "none"}[header.getAttribute("aria-sort")];
    for (const one of headers) one.setAttribute("aria-sort", one === header ? next : "none");
    const sign = next === "descending" ? -1 : 1;
    const keyed = original.map(row => [sortKey(row.cells[column]), row]);
    // What has no value stays at the end, in both directions.
    keyed.sort(([[kind, a]], [[other, b]]) =>
      kind - other || sign * (typeof a === "number" ? a - b : byText(a, b)));
    body.append(...(next === "none" ? original : keyed.map(([, row]) => row)));
  }));
}

// On paper nothing can be unfolded: it is while a page is printed, and a link to what is folded unfolds it.
const folded = () => [...document.querySelectorAll("details.unfold:not([open])")];
let unfolded = [];
addEventListener("beforeprint", () => { unfolded = folded(); for (const one of unfolded) one.open = true; });
addEventListener("afterprint", () => { for (const one of unfolded) one.open = false; });
for (const link of document.querySelectorAll(".counts a"))
  link.addEventListener("click", () => document.querySelector(link.hash)?.closest("details")?.setAttribute("open", ""));
