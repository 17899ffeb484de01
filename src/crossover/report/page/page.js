"use strict";

// A click on a header sorts a table: rising, falling, then as it was written.
const NEXT = { none: "ascending", ascending: "descending", descending: "none" };
const MISSING = new Set(["", "–", "—", "-"]);
const UNITS = {
  B: 1, kB: 1e3, MB: 1e6, GB: 1e9,
  "µs": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600,
  mJ: 1e-3, J: 1, kJ: 1e3, MJ: 1e6,
};
const NUMBER = new RegExp(
  "^(?:(?:[<>≤≥~≈×$€]|below|above|about)\\s*)?" +
    "([+-]?(?:\\d[\\d,]*)?\\.?\\d+(?:e[+-]?\\d+)?)" +
    `(?:\\s*(${Object.keys(UNITS).join("|")})(?![\\w/]))?`
);

// What a cell is sorted by: its first number with its unit, else its words. "98.6 [97.0, 99.3]" is 98.6.
function sortKey(cell) {
  const text = cell.textContent.replace(/[●◆]/g, "").trim();
  const found = NUMBER.exec(text.replace("−", "-"));
  const value = found ? Number(found[1].replaceAll(",", "")) * (UNITS[found[2]] ?? 1) : 0;
  return { missing: MISSING.has(text), isWord: !found, value, text };
}

function inOrder(a, b) {
  return a.isWord - b.isWord || a.value - b.value || a.text.localeCompare(b.text, "en", { numeric: true });
}

function sortRows(rows, column, direction) {
  if (direction === "none") return rows;
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = rows.map((row) => ({ row, key: sortKey(row.cells[column]) }));
  keyed.sort(({ key: a }, { key: b }) => a.missing - b.missing || (a.missing ? 0 : sign * inOrder(a, b)));
  return keyed.map(({ row }) => row);
}

function makeSortable(table) {
  const headers = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const written = body ? [...body.rows] : [];
  headers.forEach((header, column) => {
    header.querySelector(".sort").addEventListener("click", () => {
      const direction = NEXT[header.getAttribute("aria-sort") ?? "none"];
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      if (direction !== "none") header.setAttribute("aria-sort", direction);
      body?.append(...sortRows(written, column, direction));
    });
  });
}

document.querySelectorAll("table").forEach(makeSortable);

// The contents list is open beside the report and on paper, closed above the report on a small screen.
const contents = document.querySelector(".contents");
const small = window.matchMedia("screen and (max-width: 64rem)");
const fold = () => (contents.open = !small.matches);
small.addEventListener("change", fold);
// On paper everything is open that is folded on the screen, but for the numbers behind the figures.
const folds = [...document.querySelectorAll(".fold")];
let folded = [];
window.addEventListener("beforeprint", () => {
  contents.open = true;
  folded = folds.filter((part) => !part.open);
  for (const part of folded) part.open = true;
});
window.addEventListener("afterprint", () => {
  fold();
  for (const part of folded) part.open = false;
});

// A link to a part opens the fold that it is in.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const part = target?.closest(".fold");
  if (!part || part.open) return;
  part.open = true;
  target.scrollIntoView();
}
window.addEventListener("hashchange", reveal);
reveal();
contents.addEventListener("click", (event) => event.target.closest("a") && fold());
fold();

// In the list, the part that is being read is marked.
const links = new Map([...contents.querySelectorAll("a")].map((a) => [a.hash.slice(1), a]));
const headings = [...links.keys()].map((id) => document.getElementById(id));
function markCurrent() {
  const read = headings.filter((heading) => heading.getBoundingClientRect().top < 120);
  const current = links.get(read.at(-1)?.id);
  for (const link of links.values()) link.ariaCurrent = link === current ? "true" : null;
}
window.addEventListener("scroll", markCurrent, { passive: true });
markCurrent();
