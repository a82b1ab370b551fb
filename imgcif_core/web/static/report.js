// A finding opens its line beside it, and marks in the drawing what it is about.
const pane = document.getElementById("window");
let last = null;

async function open(finding) {
  const line = Number(finding.dataset.line);
  for (const other of document.querySelectorAll(".finding.here")) other.classList.remove("here");
  finding.classList.add("here");
  if (finding !== last) document.dispatchEvent(new CustomEvent("imgcif-show", { detail: JSON.parse(finding.dataset.parts) }));
  last = finding;
  if (!line || !pane) return;
  const first = Math.max(1, line - 8);
  const answer = await fetch(`${pane.dataset.address}?from=${first}&to=${line + 12}`);
  if (!answer.ok) return;
  const found = await answer.json();
  const list = document.createElement("ol");
  found.lines.forEach((text, index) => {
    const number = found.from + index;
    const row = document.createElement("li");
    const link = document.createElement("a");
    link.href = `${pane.dataset.page}?line=${number}#L${number}`;
    link.textContent = number;
    const code = document.createElement("code");
    code.textContent = text;
    row.append(link, code);
    if (number === line) row.className = "here";
    list.append(row);
  });
  pane.className = "source";
  pane.hidden = false;
  pane.replaceChildren(list);
}

for (const finding of document.querySelectorAll(".finding")) {
  const link = finding.querySelector("a.line");
  finding.addEventListener("focusin", () => open(finding));
  finding.addEventListener("click", () => open(finding));
  if (link) {
    link.addEventListener("click", (event) => {
      // On a wide screen the line is beside the finding already.
      if (pane && window.matchMedia("(min-width: 60rem)").matches && !event.ctrlKey && !event.metaKey) event.preventDefault();
    });
  }
}

// On a narrow screen one part of the report is shown at a time; without script the same links jump.
const jump = document.querySelector("nav.jump"), narrow = window.matchMedia("(max-width: 60rem)");
const sectionOf = (link) => document.getElementById(link.hash.slice(1)).closest("section");
const parts = new Map([...jump.querySelectorAll("a")].map((link) => [link, sectionOf(link)]));

function choose(chosen) {
  for (const [link, part] of parts) {
    part.classList.toggle("away", link !== chosen);
    if (link === chosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// The part that an address names, itself or by what stands in it.
function named() {
  const there = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  return [...parts].find(([, part]) => part.contains(there))?.[0] ?? [...parts.keys()][0];
}

for (const link of parts.keys()) link.addEventListener("click", () => choose(link));
window.addEventListener("hashchange", () => choose(named()));
narrow.addEventListener("change", () => choose(named()));
choose(named());
