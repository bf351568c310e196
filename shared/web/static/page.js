// Small behaviours that a page needs when it stands alone; everything works without them, only slower.
document.addEventListener("click", (event) => {
  const all = event.target.closest("[data-check-all]");
  if (all) {
    document.querySelectorAll(`input[name="${CSS.escape(all.dataset.checkAll)}"]`).forEach((box) => { box.checked = all.checked; });
  }
  const print = event.target.closest("[data-print]");
  if (print) window.print();
  const add = event.target.closest("[data-add-row]");
  if (add) {
    const rows = document.querySelector(add.dataset.addRow);
    const copy = rows.lastElementChild.cloneNode(true);
    const number = rows.children.length;
    copy.querySelectorAll("[name]").forEach((field) => {
      field.name = field.name.replace(/\.\d+\./, `.${number}.`);
      if (field.type === "checkbox") field.checked = false; else field.value = "";
    });
    copy.querySelectorAll("[id]").forEach((field) => { field.id = field.id.replace(/\d+$/, number); });
    copy.querySelectorAll("label[for]").forEach((field) => { field.htmlFor = field.htmlFor.replace(/\d+$/, number); });
    rows.append(copy);
    copy.querySelector("[name]").focus();
  }
});

// Of the parts of a form that exclude each other only the chosen one is shown: data-chosen="<name> <value>".
function showChosen(name) {
  const chosen = document.querySelector(`[data-choose="${name}"]:checked`)?.value;
  document.querySelectorAll(`[data-chosen^="${name} "]`).forEach((part) => { part.hidden = part.dataset.chosen !== `${name} ${chosen}`; });
}
document.addEventListener("change", (event) => {
  if (event.target.dataset.choose) showChosen(event.target.dataset.choose);
});

// A table knows the names of its columns in each cell, so that a phone can show its rows as cards; what still is too wide takes the keyboard.
function arrangeTables() {
  document.querySelectorAll("table").forEach((table) => {
    if (!table.tHead) return;
    const names = [...table.tHead.rows[0].cells].map((cell) => (cell.querySelector(".visually-hidden") ? "" : cell.textContent.trim()));
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, at) => { if (names[at] && cell.colSpan === 1) cell.dataset.column = names[at]; });
    }
    table.classList.add("pile");
  });
  document.querySelectorAll(".scroll").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; else box.removeAttribute("tabindex");
  });
}
document.addEventListener("DOMContentLoaded", () => {
  new Set([...document.querySelectorAll("[data-choose]")].map((field) => field.dataset.choose)).forEach(showChosen);
  arrangeTables();
});
window.addEventListener("resize", arrangeTables);

// On paper nothing can be unfolded: what is told in a fold-out is open while it prints.
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details.told:not([open])").forEach((fold) => { fold.open = true; fold.dataset.folded = ""; });
});
window.addEventListener("afterprint", () => {
  document.querySelectorAll("details.told[data-folded]").forEach((fold) => { fold.open = false; delete fold.dataset.folded; });
});
