// Tables that sort, and files that are saved from the page.
"use strict";

/** An element: element("td", { class: "words" }, "text", other). */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/**
 * A table whose columns sort by a click or the Enter key. Columns: { name, of, show, words, wrap }; rows without a value stay at the end.
 */
function sortable(columns, rows, start = null) {
  const body = element("tbody");
  let sorted = start, ascending = true;
  const heads = columns.map((column) =>
    element("th", {
      scope: "col", tabindex: "0", "aria-sort": "none", class: column.words ? "words" : undefined,
      onclick: () => by(column),
      onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); by(column); } },
    }, column.name)
  );
  const show = (column, row) => {
    const value = column.of(row);
    return column.show ? column.show(value, row) : value === null || value === undefined ? "–" : `${value}`;
  };
  function draw() {
    const all = rows.slice();
    if (sorted) {
      const missing = (value) => value === null || value === undefined || Number.isNaN(value);
      all.sort((a, b) => {
        const x = sorted.of(a), y = sorted.of(b);
        if (missing(x) || missing(y)) return missing(x) - missing(y);
        const order = typeof x === "string" ? x.localeCompare(y) : x - y;
        return ascending ? order : -order;
      });
    }
    body.replaceChildren(...all.map((row) =>
      element("tr", {}, ...columns.map((column) => element("td", { class: [column.words ? "words" : "", column.wrap ? "wrap" : ""].join(" ").trim() || undefined }, show(column, row))))
    ));
    heads.forEach((head, i) => head.setAttribute("aria-sort", columns[i] === sorted ? (ascending ? "ascending" : "descending") : "none"));
  }
  function by(column) {
    ascending = sorted === column ? !ascending : true;
    sorted = column;
    draw();
  }
  draw();
  return element("div", { class: "table" }, element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body));
}

/** Offers a file that the page made itself. */
function save(name, type, content) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** An SVG that stands alone: colours are written out instead of taken from the page. */
function standalone(svg) {
  const style = getComputedStyle(document.documentElement);
  const copy = svg.cloneNode(true);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.querySelectorAll("[aria-label=tip]").forEach((tip) => tip.remove());
  copy.style.background = style.getPropertyValue("--bg").trim();
  copy.style.color = style.getPropertyValue("--fg").trim();
  copy.style.fontFamily = "system-ui, Helvetica, Arial, sans-serif";
  const text = new XMLSerializer().serializeToString(copy);
  return text.replace(/var\((--[a-z0-9]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
}

/** Buttons that save a chart as SVG and as PNG. */
function saveButtons(name, current) {
  const png = () => {
    const svg = current(), scale = 3, image = new Image();
    const width = +svg.getAttribute("width"), height = +svg.getAttribute("height");
    image.onload = () => {
      const canvas = element("canvas", { width: width * scale, height: height * scale });
      const context = canvas.getContext("2d");
      context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--bg");
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(`${name}.png`, "image/png", blob));
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(standalone(svg))}`;
  };
  return element("div", {},
    element("button", { type: "button", class: "save", onclick: () => save(`${name}.svg`, "image/svg+xml", standalone(current())) }, "SVG"),
    element("button", { type: "button", class: "save", onclick: png }, "PNG"));
}
