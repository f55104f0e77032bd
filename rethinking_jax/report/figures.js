"use strict";
// Figures: curves are switched on and off, and the point that is pointed at says its values.
const charts = JSON.parse(document.getElementById("data").textContent);
const buttons = [...document.querySelectorAll("button[data-curve]")];
const digits = count => new Intl.NumberFormat("en-GB", {maximumSignificantDigits: count});
// What is nearly 1, such as an accuracy, has as many digits as tell it from that.
const number = {format: v => digits([4, 5, 6, 7, 8].find(n => v === 1 || digits(n).format(v) !== "1") ?? 9).format(v)};
const shown = button => button.getAttribute("aria-pressed") === "true";
const wordsOf = element => JSON.parse(element.closest("section").dataset.words);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const make = (name, attributes, parent) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
};
// What does nothing without a script is hidden until there is one.
for (const one of document.querySelectorAll(".tools, .filter")) one.hidden = false;

// Where points stand in a figure's view box; the x of a curve may be those of an earlier one.
const xsOf = (chart, curve) => {
  const x = chart.curves[curve].x;
  return typeof x === "number" ? chart.curves[x].x : x;
};
function share(chart, axis, value) {
  const f = (chart.log || "").includes(axis) ? Math.log10 : u => u, [low, high] = chart[axis].map(f);
  return (f(value) - low) / (high - low);
}
const toX = (chart, x) => chart.axes[0] + share(chart, "x", x) * (chart.axes[1] - chart.axes[0]);
const toY = (chart, y) => chart.axes[3] - share(chart, "y", y) * (chart.axes[3] - chart.axes[2]);

// Draws a line that is not in the drawing, as the others are: a figure of hundreds holds the shown ones alone.
function drawCurve(button) {
  const {chart: id, curve: index} = button.dataset, chart = charts[id], curve = chart.curves[index];
  const xs = xsOf(chart, index), key = button.querySelectorAll("path"), color = key[1].getAttribute("fill");
  const within = y => Math.min(Math.max(y, chart.axes[2]), chart.axes[3]).toFixed(1);
  const place = (i, y) => `${toX(chart, xs[i]).toFixed(1)},${within(toY(chart, y))}`;
  const known = (...columns) => xs.map((_, i) => i).filter(i => columns.every(one => Number.isFinite(one[i])));
  const line = () => xs.map((_, i) => !Number.isFinite(curve.y[i]) ? ""
    : (Number.isFinite(curve.y[i - 1]) ? "L" : "M") + place(i, curve.y[i])).join("");
  const between = (low, high) => {
    const there = known(low, high);
    return `M${[...there.map(i => place(i, high[i])), ...there.reverse().map(i => place(i, low[i]))].join("L")}z`;
  };
  const svg = document.querySelector(`#${id} svg`), group = part => make("g", {id: `${id}-${part}-${index}`}, svg);
  if (curve.low) make("path", {d: between(curve.low, curve.high), fill: color, opacity: .18}, group("band"));
  if (curve.best) make("path", {d: between(curve.y, curve.best), fill: color, opacity: .35}, group("area"));
  const own = group("curve"), step = Math.max(1, Math.floor(xs.length / 8));
  make("path", {d: line(), fill: "none", stroke: color, "stroke-width": 1.6,
    "stroke-dasharray": key[0].getAttribute("stroke-dasharray")}, own);
  for (const i of known(curve.y).filter(i => i % step === 0))
    make("path", {d: key[1].getAttribute("d"), fill: color, transform: `translate(${place(i, curve.y[i])}) scale(.75)`}, own);
}

function switchCurve(button, on) {
  button.setAttribute("aria-pressed", on);
  const part = name => document.getElementById(`${button.dataset.chart}-${name}-${button.dataset.curve}`);
  if (on && !part("curve")) drawCurve(button);
  for (const group of ["curve", "band", "area"].map(part)) if (group) group.style.display = on ? "" : "none";
}

for (const button of buttons) {
  switchCurve(button, shown(button));
  button.addEventListener("click", () => switchCurve(button, !shown(button)));
}

for (const [id, chart] of Object.entries(charts)) {
  const box = document.getElementById(id), dot = box.querySelector(".point"), words = wordsOf(box);
  const own = buttons.filter(button => button.dataset.chart === id);
  const visible = () => own.map((button, index) => index).filter(index => shown(own[index]));
  let at = null;  // [curve, point]

  function show(curve, point) {
    const {y: ys, low: lows = ys, high: highs = ys, best: bests} = chart.curves[curve];
    const [x, y, low, high] = [xsOf(chart, curve), ys, lows, highs].map(column => column[point]);
    const called = chart.called?.[curve]?.[point];
    at = [curve, point];
    dot.hidden = false;
    dot.style.left = `${toX(chart, x) / chart.view[0] * 100}%`;
    dot.style.top = `${toY(chart, y) / chart.view[1] * 100}%`;
    const span = low === high || !Number.isFinite(low) ? ""
      : ` (${fill(words.to, {one: number.format(low), other: number.format(high)})})`;
    const record = bests ? `, ${words.best} ${number.format(bests[point])}` : "";
    const name = own[curve].textContent.trim() + (called ? `, ${called}` : "");
    document.getElementById(`${id}-value`).textContent = `${name}: ${chart.names[0]} `
      + `${number.format(x)}, ${chart.names[1]} ${number.format(y)}${span}${record}`;
  }

  function nearest(x, y, curves) {
    let best = null, distance = Infinity;
    for (const curve of curves) {
      const xs = xsOf(chart, curve);
      chart.curves[curve].y.forEach((value, index) => {
        if (!Number.isFinite(value)) return;
        const d = Math.hypot(toX(chart, xs[index]) - x, toY(chart, value) - y);
        if (d < distance) [best, distance] = [[curve, index], d];
      });
    }
    return best;
  }

  box.addEventListener("pointermove", event => {
    const frame = box.getBoundingClientRect();
    const scale = chart.view[0] / frame.width;
    const best = nearest((event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale, visible());
    if (best) show(...best);
  });
  box.addEventListener("keydown", event => {
    const along = {ArrowLeft: -1, ArrowRight: 1}[event.key], across = {ArrowUp: -1, ArrowDown: 1}[event.key];
    const curves = visible();
    if (!(along || across) || !curves.length) return;
    event.preventDefault();
    if (!at || !curves.includes(at[0])) at = [curves[0], 0];
    let [curve, point] = at;
    if (across) {
      const x = xsOf(chart, curve)[point];
      curve = curves[(curves.indexOf(curve) + across + curves.length) % curves.length];
      const xs = xsOf(chart, curve), off = i => Math.abs(xs[i] - x);
      point = xs.reduce((best, _, i) => off(i) < off(best) ? i : best, 0);
    } else point = Math.min(Math.max(point + along, 0), chart.curves[curve].y.length - 1);
    if (Number.isFinite(chart.curves[curve].y[point])) show(curve, point);
  });
}
