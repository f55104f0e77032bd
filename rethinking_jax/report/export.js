// What is in a figure, to take along: its numbers as CSV, and the figure as a picture that stands alone.
function csvOf(rows) {
  // A text that a spreadsheet would compute has a ' before it.
  const text = value => /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  const quoted = value => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  const cell = value => typeof value === "number" ? String(value) : quoted(text(value ?? ""));
  return rows.map(row => row.map(cell).join(",") + "\r\n").join("");
}

// The rows of a figure: all points of all its curves, switched on or off, in full precision.
function rowsOfChart(id, words) {
  const chart = charts[id], has = part => chart.curves.some(curve => curve[part]);
  const parts = [["low", words.low], ["high", words.high], ["best", words.best]].filter(([part]) => has(part));
  const [across, up] = chart.names, named = Boolean(chart.called);
  const header = [words.curve, across, up === across ? `${up} (y)` : up, ...parts.map(([, name]) => name)];
  const labels = buttons.filter(button => button.dataset.chart === id).map(button => button.textContent.trim());
  // Infinite values are texts already; what is no number is an empty cell.
  const value = found => found === "inf" || found === "-inf" ? {inf: Infinity, "-inf": -Infinity}[found] : found;
  const rows = chart.curves.flatMap((curve, index) => xsOf(chart, index).map((x, i) => [
    labels[index], x, value(curve.y[i]),
    ...parts.map(([part]) => value((curve[part] ?? (part === "best" ? [] : curve.y))[i])),
    ...(named ? [chart.called[index]?.[i] ?? ""] : []),
  ]));
  return [named ? [...header, words.name] : header, ...rows];
}

function rowsOfGallery(id, words) {
  const rows = [...document.querySelectorAll(`#${id} h4`)].flatMap(heading =>
    [...heading.nextElementSibling.children].map((one, i) => [heading.textContent, i + 1, ...one.title.split("\n")]));
  const most = Math.max(...rows.map(row => row.length)) - 2;
  return [[words.row, words.picture, ...Array.from({length: most}, (_, i) => `${words.text} ${i + 1}`)], ...rows];
}

// A box with so many characters takes a browser minutes to lay out: more than that is saved as a file.
const MOST_SELECTED = 200000;

function save(address, name) {
  Object.assign(document.createElement("a"), {href: address, download: name}).click();
}

function saveText(text, type, name) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  save(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Shows a text in a box, selected, for who may not copy by a button; or saves it. Returns what to say.
function selectText(text, tools, name, words) {
  if (text.length > MOST_SELECTED) {
    saveText(text, "text/csv", name);
    return fill(words.saved, {name});
  }
  const area = Object.assign(document.createElement("textarea"), {value: text, readOnly: true, wrap: "off"});
  area.setAttribute("aria-label", words.selected);
  tools.append(area);
  area.focus();
  area.select();
  return words.denied;
}

for (const button of document.querySelectorAll("button[data-copy]")) button.addEventListener("click", async () => {
  const tools = button.closest(".tools"), words = wordsOf(button), said = tools.querySelector("[role=status]");
  const rows = (button.dataset.copy === "chart" ? rowsOfChart : rowsOfGallery)(button.dataset.of, words);
  const text = csvOf(rows), name = `${tools.querySelector("[data-save]").dataset.name}.csv`;
  tools.querySelector("textarea")?.remove();
  try {
    await navigator.clipboard.writeText(text);
    said.textContent = fill(words.copied, {rows: rows.length - 1});
  } catch {  // as where a page is a file, or in a frame, and the browser trusts neither
    said.textContent = selectText(text, tools, name, words);
  }
});

// Lines of at most so many characters.
const folds = (text, width) => text.split(/\s+/).reduce((lines, word) => {
  if (`${lines.at(-1)} ${word}`.trim().length <= width) lines.push(`${lines.pop()} ${word}`.trim());
  else lines.push(word);
  return lines;
}, [""]).filter(Boolean);

// An empty picture, and what writes lines of text into it.
function paper(width) {
  const svg = make("svg", {"font-family": "sans-serif", style: "color: #1c2128", fill: "#1c2128"});
  const write = (lines, x, y, size) => lines.forEach((line, i) => {
    make("text", {x, y: y + i * size * 1.3, "font-size": size}, svg).textContent = line;
  });
  const end = height => {
    svg.prepend(make("rect", {width, height, fill: "#fff"}));
    for (const [key, value] of Object.entries({viewBox: `0 0 ${width} ${height}`, width: 2 * width, height: 2 * height}))
      svg.setAttribute(key, value);
    return svg;
  };
  return {svg, write, end};
}

// The figure with the curves that are switched on, its title above, its legend and its source below.
function pictureOfChart(id) {
  const box = document.getElementById(id), [width, height] = charts[id].view;
  const {svg, write, end} = paper(width);
  const title = folds(document.getElementById(`${id}-title`).textContent, 62);
  write(title, 6, 14, 10);
  const top = 8 + title.length * 13, drawing = make("g", {transform: `translate(0 ${top})`}, svg);
  for (const part of box.querySelector("svg").children) drawing.append(part.cloneNode(true));
  for (const part of [...drawing.querySelectorAll("g")]) if (part.style.display === "none") part.remove();
  let y = top + height + 8;
  for (const button of buttons.filter(one => one.dataset.chart === id && shown(one))) {
    const key = make("g", {transform: `translate(24 ${y - 3}) scale(.8)`}, svg), lines = folds(button.textContent.trim(), 76);
    for (const path of button.querySelectorAll("path")) key.append(path.cloneNode(true));
    write(lines, 44, y, 8);
    y += lines.length * 10.4 + 2;
  }
  const source = folds(box.dataset.source, 90);
  write(source, 6, y + 4, 7);
  return end(y + source.length * 9.1 + 4);
}

function pictureOfGallery(id) {
  const figure = document.getElementById(id), across = 8, step = 84, width = across * step + 12;
  const {svg, write, end} = paper(width);
  write([figure.querySelector("h3").textContent], 6, 18, 12);
  let y = 40;
  for (const heading of figure.querySelectorAll("h4")) {
    write([heading.textContent], 6, y, 10);
    y += 8;
    const items = [...heading.nextElementSibling.children];
    const folded = items.map(item => item.title.split("\n").flatMap(line => folds(line, 17)));
    for (let first = 0; first < items.length; first += across) {
      const row = folded.slice(first, first + across);
      row.forEach((lines, i) => {
        const href = items[first + i].querySelector("img").src;
        make("image", {x: 6 + i * step, y, width: 70, height: 70, href, style: "image-rendering: pixelated"}, svg);
        write(lines, 6 + i * step, y + 80, 8);
      });
      y += 84 + Math.max(...row.map(lines => lines.length)) * 10.4;
    }
    y += 14;
  }
  write([figure.dataset.source], 6, y, 8);
  return end(y + 10);
}

for (const button of document.querySelectorAll("button[data-save]")) button.addEventListener("click", () => {
  const {save: kind, of: id} = button.dataset;
  let name = button.dataset.name;
  if (kind === "picture") save(document.querySelector(`#${id} img`).src, name);
  else {
    const svg = (kind === "chart" ? pictureOfChart : pictureOfGallery)(id);
    const content = `<?xml version="1.0" encoding="utf-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;
    name += ".svg";
    saveText(content, "image/svg+xml", name);
  }
  button.closest(".tools").querySelector("[role=status]").textContent = fill(wordsOf(button).saved, {name});
});
