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
