(function () {
  "use strict";
  var words = JSON.parse(document.getElementById("words").textContent);
  var collator = new Intl.Collator(document.documentElement.lang, { numeric: true });
  var small = window.matchMedia("(max-width: 60rem)");
  var contents = document.querySelector(".contents details");
  if (contents && small.matches) { contents.open = false; }

  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details.fold").forEach(function (one) { one.open = true; });
  });

  function key(row, index) {
    var cell = row.cells[index];
    var value = cell.dataset.v === undefined ? cell.dataset.s : cell.dataset.v;
    return value === undefined ? cell.textContent.trim() : Number(value);
  }

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") { return a - b; }
    if (typeof a === "number") { return -1; }
    if (typeof b === "number") { return 1; }
    return collator.compare(a, b);
  }

  function sort(table, index, heading) {
    var up = heading.getAttribute("aria-sort") !== "ascending";
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows).map(function (row) {
      return [key(row, index), row];
    });
    rows.sort(function (a, b) {
      var order = compare(a[0], b[0]);
      var numbers = typeof a[0] === "number" && typeof b[0] === "number";
      var texts = typeof a[0] === "string" && typeof b[0] === "string";
      return up || !(numbers || texts) ? order : -order;
    });
    rows.forEach(function (pair) { body.appendChild(pair[1]); });
    Array.prototype.forEach.call(heading.parentNode.cells, function (other) {
      other.removeAttribute("aria-sort");
    });
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  }

  document.querySelectorAll("table").forEach(function (table) {
    if (table.tBodies[0].rows.length < 3) { return; }
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (heading, index) {
      var button = document.createElement("button");
      button.type = "button";
      button.title = words.sort;
      while (heading.firstChild) { button.appendChild(heading.firstChild); }
      heading.appendChild(button);
      button.addEventListener("click", function () { sort(table, index, heading); });
    });
  });

  function plain(text) {
    return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  }

  document.querySelectorAll(".tools").forEach(function (tools) { tools.hidden = false; });
  document.querySelectorAll("input[data-table]").forEach(function (input) {
    var table = document.getElementById(input.dataset.table);
    var found = document.querySelector('[data-found="' + input.dataset.table + '"]');
    input.addEventListener("input", function () {
      var wanted = plain(input.value).split(/\s+/).filter(Boolean);
      var shown = 0;
      Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
        var text = plain(row.textContent);
        row.hidden = !wanted.every(function (word) { return text.indexOf(word) >= 0; });
        shown += row.hidden ? 0 : 1;
      });
      found.textContent = words.found.replace("{shown}", shown)
        .replace("{rows}", table.tBodies[0].rows.length);
    });
  });

  function field(cell) {
    var text = cell.dataset.v === undefined ? cell.textContent.trim() : cell.dataset.v;
    if (cell.dataset.v === undefined && /^[=+\-@\t\r]/.test(text)) { text = "'" + text; }
    return '"' + text.replace(/"/g, '""') + '"';
  }

  document.querySelectorAll("button[data-csv]").forEach(function (button) {
    button.addEventListener("click", function () {
      var table = document.getElementById(button.dataset.csv);
      var lines = Array.prototype.map.call(table.rows, function (row) {
        return Array.prototype.map.call(row.cells, field).join(",");
      });
      if (words.notice) { lines.unshift('"' + words.notice.replace(/"/g, '""') + '"'); }
      var blob = new Blob(["\ufeff" + lines.join("\r\n")], { type: "text/csv" });
      var link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = button.dataset.csv + ".csv";
      link.click();
      URL.revokeObjectURL(link.href);
    });
  });
}());
