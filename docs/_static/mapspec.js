// SPDX-License-Identifier: MIT
// Open the folded scenario that the address names; without this the page only scrolls to it.
(function () {
  "use strict";
  function reveal() {
    var id = decodeURIComponent(location.hash.slice(1));
    var target = id && document.getElementById(id);
    if (!target) return;
    for (var node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
    }
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", reveal);
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details.ms-scenario").forEach(function (d) { d.open = true; });
  });
  reveal();
})();

// A filter above a table whose rows and cells say what they are about; without this the table shows all.
(function () {
  "use strict";
  function choices(texts) {
    return texts.filter(function (text, i) { return text !== "–" && texts.indexOf(text) === i; });
  }
  function add(parent, tag, text) {
    var node = document.createElement(tag);
    if (text) node.textContent = text;
    parent.appendChild(node);
    return node;
  }
  document.querySelectorAll("table[data-filter]").forEach(function (table) {
    var rows = Array.prototype.slice.call(table.tBodies[0].rows);
    var form = document.createElement("form");
    form.className = "ms-filter";
    var tests = [];
    function offer(name, of) {
      var label = add(form, "label", name), select = add(label, "select");
      add(select, "option", "any").value = "";
      choices(rows.map(of)).forEach(function (text) { add(select, "option", text).value = text; });
      tests.push(function (row) { return !select.value || of(row) === select.value; });
    }
    offer("Memory", function (row) { return row.dataset.memory; });
    offer("Function", function (row) { return row.dataset.function; });
    Array.prototype.forEach.call(rows[0].cells, function (cell, i) {
      if ("offer" in cell.dataset) offer(cell.dataset.label, function (row) { return row.cells[i].dataset.cell; });
    });
    var reset = add(form, "button", "Show all"), count = add(form, "output");
    reset.type = "reset";
    function apply() {
      var shown = 0;
      rows.forEach(function (row) {
        row.hidden = !tests.every(function (test) { return test(row); });
        shown += !row.hidden;
      });
      count.textContent = shown + " of " + rows.length + " rows";
    }
    form.addEventListener("change", apply);
    form.addEventListener("reset", function () { setTimeout(apply); });
    apply();
    var box = table.closest(".ms-scroll");
    box.parentNode.insertBefore(form, box);
  });
})();

// Tables in a container `ms-cards` become cards on a narrow screen: each cell learns its heading.
document.querySelectorAll(".ms-cards table").forEach(function (table) {
  "use strict";
  var heads = table.tHead ? Array.prototype.map.call(table.tHead.rows[0].cells, function (th) { return th.textContent; }) : [];
  Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
    Array.prototype.forEach.call(row.cells, function (cell, i) {
      if (!i) return;
      cell.dataset.label = heads[i];
      if (!cell.textContent.trim()) cell.classList.add("ms-empty");
    });
  });
  table.classList.add("ms-carded");
});
