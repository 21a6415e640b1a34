// The player: a list of steps, what is known after each, and the controls that lead from one to another.
const root = document.documentElement, find = (id) => document.getElementById(id);
const data = JSON.parse(find("data").textContent);
const { nodes, edges } = data, node = new Map(nodes.map((n) => [n.id, n]));
const roots = nodes.filter((n) => n.kind === "loss"), loss = roots.at(-1) ?? nodes.at(-1);
edges.forEach((e) => { e.id = `e_${e.target}_${e.slot}`; });
const flowing = edges.filter((e) => e.flows).sort((a, b) => a.slot - b.slot);
const at = (end) => {
  const found = new Map(nodes.map((n) => [n.id, []]));
  for (const e of flowing) found.get(e[end]).push(e);
  return (id) => found.get(id);
};
const leaving = at("source"), into = at("target");
const whole = (n) => /int|bool/.test(n.dtype), leaf = (n) => !n.args;
const scalar = (id) => !node.get(id).shape.length;

let lang = data.lang, theme = data.theme;
let W = data.words[lang];
const worded = (text, ...parts) => text.split("{}").flatMap((piece, i) => (i ? [parts[i - 1], piece] : [piece]));
const say = (text, ...parts) => worded(text, ...parts).join("");
const bdi = (id) => element("bdi", {}, node.get(id).name);

// ------------------------------------------------------------------------------------------------ values
const array = (x, n) => (x === null ? null : x.lines ? { ...x, shape: n.shape }
  : { shape: n.shape, data: x.map(Ops.real).map(n.dtype === "float32" ? Math.fround : (v) => v) });
for (const n of nodes) {
  n.value = array(n.value, n);
  n.grad = array(n.grad, n);
}
for (const e of flowing) e.part = array(e.part ?? null, node.get(e.source));
const recorded = {
  value: new Map(nodes.map((n) => [n.id, n.value])), grad: new Map(nodes.map((n) => [n.id, n.grad])),
  part: new Map(flowing.map((e) => [e.id, e.part ?? (leaving(e.source).length === 1 ? node.get(e.source).grad : null)])),
  local: new Map(),
};

// Forward and backward from the leaves, by the table of ops and the engine's rules, latest born first.
function computed(leaves) {
  const value = new Map(leaves), grad = new Map(), part = new Map(), local = new Map();
  for (const n of nodes) {
    if (!leaf(n)) value.set(n.id, Ops.apply(n.op, n.args.map((a) => a && value.get(a)), n.attrs));
  }
  for (const r of roots) grad.set(r.id, seed(r));
  for (const n of [...nodes].reverse()) {
    const g = grad.get(n.id);
    for (const e of g ? into(n.id) : []) {
      const known = (g) => (name) => (name === "g" ? g : value.get(name));
      const flown = Ops.evaluate(e.rule, known(g)), own = grad.get(e.source);
      if (flown.shape.join() !== node.get(e.source).shape.join()) throw new Error(`the rule of ${e.id}`);
      if (scalar(e.source) && scalar(e.target)) local.set(e.id, Ops.evaluate(e.rule, known(Ops.array([1]))));
      part.set(e.id, flown);
      grad.set(e.source, own ? Ops.apply("add", [own, flown]) : flown);
    }
  }
  return { value, grad, part, local };
}
const seed = (r) => r.grad;

// Whether this page can compute; if not, why.
function reason() {
  const lacking = [...new Set([
    ...nodes.filter((n) => !leaf(n)).flatMap((n) => Ops.unknown({ op: n.op || n.sign })), ...flowing.flatMap((e) => Ops.unknown(e.rule)),
  ])];
  if (flowing.some((e) => e.rule === undefined)) return () => W.own;
  if (lacking.length) return () => say(W.lacks, lacking.join(", "));
  if (nodes.some((n) => n.value?.lines)) return () => W.large;
  if (nodes.some((n) => leaf(n) && !n.value)) return () => W.missing;
  try {
    const run = computed(start), near = { float64: 1e-8, float32: 1e-4, float16: 2e-2 };
    const apart = (a, b, n) => a && b && a.data.some((x, i) =>
      Math.abs(x - b.data[i]) > (near[n.dtype] ?? 1e-8) * Math.max(1e-3, ...b.data.map(Math.abs).filter(Number.isFinite)));
    const wrong = nodes.some((n) => apart(run.value.get(n.id), n.value, n) || apart(run.grad.get(n.id), n.grad, n));
    return wrong ? () => W.differs : null;
  } catch (error) {
    return () => say(W.lacks, error.message);
  }
}
const start = new Map(nodes.filter(leaf).map((n) => [n.id, n.value]));
const obstacle = reason(), live = !obstacle;
const weights = nodes.filter((n) => leaf(n) && n.kind === "param" && leaving(n.id).length);
const learns = live && weights.length > 0 && roots.length === 1 && loss.value.data.length === 1;

// ------------------------------------------------------------------------------------------------ iterations
const iterations = [{ leaves: start }];
const place = { iteration: 0, step: 0 };
let eta = data.eta, playing = 0, chosen = null;
const run = (k = place.iteration) => {
  const it = iterations[k];
  it.run ??= live ? computed(it.leaves) : recorded;
  return it.run;
};
const cost = (k) => run(k).value.get(loss.id)?.data?.[0];

function descended(k) {
  const leaves = new Map(iterations[k].leaves), found = run(k).grad;
  for (const w of weights) {
    const g = found.get(w.id);
    if (g) leaves.set(w.id, { shape: w.shape, data: leaves.get(w.id).data.map((x, i) => x - eta * g.data[i]) });
  }
  return leaves;
}
function onward() {
  const k = place.iteration;
  iterations[k + 1] ??= { leaves: descended(k) };
  return k + 1;
}

// ------------------------------------------------------------------------------------------------ steps
let steps = [], mode = data.mode;
function planned() {
  const found = [{ phase: "start" }, ...nodes.filter((n) => !leaf(n)).map((n) => ({ phase: "forward", id: n.id })), ...roots.map((r) => ({ phase: "seed", id: r.id }))];
  const reached = new Set(roots.map((r) => r.id)), backward = [];
  for (const n of [...nodes].reverse()) {
    if (!reached.has(n.id)) continue;
    for (const e of into(n.id)) {
      reached.add(e.source);
      backward.push({ phase: "backward", id: e.source, edges: [e] });
    }
  }
  if (mode === "edge") found.push(...backward);
  else {
    for (const n of [...nodes].reverse()) {
      const own = backward.filter((s) => s.id === n.id).flatMap((s) => s.edges);
      if (own.length) found.push({ phase: "backward", id: n.id, edges: own });
    }
  }
  if (learns) found.push({ phase: "update" });
  return found;
}

// What is known after a step: values, gradients as far as they have been added up, edges that have been travelled.
// It is what was known before, and a little more; a run remembers it.
let remembered = new WeakMap();
function known(step) {
  const here = run();
  if (!remembered.has(here)) remembered.set(here, []);
  const frames = remembered.get(here), s = steps[step];
  if (frames[step]) return frames[step];
  if (step < 0) {
    const given = nodes.filter(leaf).map((n) => [n.id, here.value.get(n.id)]);
    return { values: new Map(given), grads: new Map(), travelled: new Set() };
  }
  for (let i = 0; i < step; i++) known(i); // the first first: a graph may have a thousand steps
  const before = known(step - 1), values = new Map(before.values), grads = new Map(before.grads);
  const travelled = new Set(before.travelled), frame = { values, grads, travelled };
  if (s.phase === "forward") values.set(s.id, here.value.get(s.id));
  if (s.phase === "seed") grads.set(s.id, seed(node.get(s.id)));
  for (const e of s.edges ?? []) {
    travelled.add(e.id);
    grads.set(e.source, added(grads.get(e.source), e, here, travelled));
  }
  if (s.phase === "update") for (const [id, w] of descended(place.iteration)) values.set(id, w); // by a rate that may change
  else frames[step] = frame;
  return frame;
}
function added(before, edge, here, travelled) {
  if (leaving(edge.source).every((e) => travelled.has(e.id))) return here.grad.get(edge.source);
  const part = here.part.get(edge.id);
  if (!before?.data || !part?.data) return before ?? part;
  return { shape: part.shape, data: part.data.map((x, i) => x + before.data[i]) };
}

// ------------------------------------------------------------------------------------------------ equations
const named = (id) => built(node.get(id).mark, null, lang);
const d = (x) => row(sign("∂"), x);
const gradient = (id) => (scalar(id) && scalar(loss.id) && roots.length === 1 ? fraction(d(named(loss.id)), d(named(id))) : row(sign("∇"), named(id)));
function slope(e) {
  const twice = into(e.target).filter((o) => o.source === e.source).length > 1;
  const below = d(named(e.source));
  return fraction(d(named(e.target)), twice ? math("msup", below, math("mtext", `(${e.slot + 1})`)) : below);
}
const relation = (a) => (a.data.every((x) => exact(short(x, false, lang), x)) ? "=" : "≈");
const bracketed = (markup, made) => (loose(markup) ? row(sign("("), made, sign(")")) : made);
const visible = (a) => a && fits(a);
// Whether a line of numbers in place of names is short enough to be read.
const brief = (arrays) => arrays.every(visible) && arrays.reduce((n, a) => n + (a.shape.at(-1) ?? 0), 0) <= 6;

function forward(id) {
  const n = node.get(id), value = run().value;
  const result = value.get(id), used = n.form ? mentions(n.form) : [];
  const inner = n.form && [named(id), "=", built(n.form, named, lang)];
  const amounts = used.length && brief(used.map((u) => value.get(u)))
    && [null, "=", built(n.form, (u, alone) => amount(value.get(u), lang, whole(node.get(u)), alone || n.form === u), lang)];
  return [...lines(inner, typeof n.form !== "string" && amounts, visible(result) && [inner ? null : named(id), relation(result), amount(result, lang, whole(n), true)])];
}

// One term of a sum over paths: in names, by its formula, in numbers.
function term(e) {
  const here = run(), g = here.grad.get(e.target), value = here.value;
  if (!e.local) return { names: math("mtext", e.symbol ?? ""), formula: null, numbers: null };
  if (scalar(e.source) && scalar(e.target)) {
    const local = here.local.get(e.id), used = mentions(e.local);
    const formula = bracketed(e.local, built(e.local, named, lang));
    const inserted = used.every((u) => visible(value.get(u)))
      && bracketed(e.local, built(e.local, (u, alone) => amount(value.get(u), lang, whole(node.get(u)), alone), lang));
    return {
      names: row(gradient(e.target), sign("·"), slope(e)),
      formula: row(gradient(e.target), sign("·"), formula),
      numbers: visible(g) && (inserted || local) && row(amount(g, lang), sign("·"), inserted || amount(local, lang)),
    };
  }
  const put = (u) => (u === "g" ? gradient(e.target) : named(u));
  const amounts = (u) => (u === "g" ? g : value.get(u));
  return {
    names: built(e.local, put, lang), formula: null,
    numbers: e.local !== "g" && brief(mentions(e.local).map(amounts))
      && built(e.local, (u, alone) => amount(amounts(u), lang, u !== "g" && whole(node.get(u)), alone), lang),
  };
}
const joined = (terms) => terms.flatMap((t, i) => (i ? [sign("+"), t] : [t]));

function backward(id, es, before, after) {
  const terms = es.map(term), all = (key) => terms.every((t) => t[key]) && terms.map((t) => t[key]);
  const first = () => (before ? [gradient(id)] : []), held = before && visible(before) ? [amount(before, lang)] : first();
  const arrow = before || leaving(id).length > es.length ? "←" : "=";
  const formula = all("formula"), numbers = all("numbers");
  return lines(
    [gradient(id), arrow, row(...joined([...first(), ...all("names")]))],
    formula && [null, arrow, row(...joined([...first(), ...formula]))],
    numbers && [null, arrow === "←" ? "←" : "=", row(...joined([...held, ...numbers]))],
    visible(after) && [null, relation(after), amount(after, lang, false, true)],
  );
}

function equation(step) {
  const s = steps[step], { grads } = known(step);
  if (s.phase === "start") {
    const given = nodes.filter((n) => leaf(n) && n.kind !== "const" && visible(n.value) && n.value.data.length <= 6).slice(0, 18);
    const each = given.flatMap((n) => lines([named(n.id), "=", amount(run().value.get(n.id), lang, whole(n), true)]));
    return [words(W.hello), element("div", { class: "given" }, ...each)];
  }
  if (s.phase === "forward") {
    const args = [...new Set(node.get(s.id).args.filter(Boolean))].flatMap((a, i) => (i ? [", ", bdi(a)] : [bdi(a)]));
    return [...forward(s.id), words(W.computed, bdi(s.id), element("span", {}, ...args))];
  }
  if (s.phase === "seed") {
    return [...lines([gradient(s.id), "=", visible(seed(node.get(s.id))) ? amount(seed(node.get(s.id)), lang, false, true) : named(s.id)]), words(W.seeding, bdi(s.id), bdi(s.id))];
  }
  if (s.phase === "update") {
    const moved = descended(place.iteration), here = run();
    const shown = weights.filter((w) => here.grad.get(w.id) && visible(here.value.get(w.id))).slice(0, 16);
    const rule = (w) => lines([named(w.id), "←", row(
      amount(here.value.get(w.id), lang, false, true), sign("−"), numeral(eta, lang), sign("·"), amount(here.grad.get(w.id), lang),
      sign("="), amount(moved.get(w.id), lang, false, true),
    )]);
    return [words(W.updating, bdi(loss.id)), element("div", { class: "given" }, ...shown.flatMap(rule))];
  }
  const paths = leaving(s.id), before = step ? known(step - 1).grads.get(s.id) : null, after = grads.get(s.id);
  const spoken = [];
  if (paths.length > 1 && s.edges.length === 1) {
    const nth = steps.slice(0, step + 1).filter((o) => o.id === s.id && o.phase === "backward").length;
    spoken.push(words(W.meets, String(nth), String(paths.length), bdi(s.id)));
  } else if (s.edges.length === 1) spoken.push(words(W.arrives, bdi(s.edges[0].target), bdi(s.id), bdi(s.edges[0].target)));
  if (scalar(s.id) && roots.length === 1 && scalar(loss.id) && after?.data && paths.every((e) => known(step).travelled.has(e.id))) {
    const x = after.data[0];
    spoken.push(words(x < 0 ? W.falls : W.grows, bdi(loss.id), trim(short(Math.abs(x), false, lang)), bdi(s.id)));
  }
  return [...backward(s.id, s.edges, before, after), ...spoken];
}
const words = (text, ...parts) => element("p", {}, ...worded(text, ...parts));

// All that is known of one value: how it is made, and its whole derivative.
function inspected(id) {
  const n = node.get(id), paths = leaving(id), after = run().grad.get(id);
  const made = leaf(n) ? (visible(n.value) ? lines([named(id), "=", amount(run().value.get(id), lang, whole(n), true)]) : []) : forward(id);
  return [...made, ...(paths.length && after ? backward(id, paths, null, after) : []), words(paths.length ? W.sum : W.given, bdi(id))];
}

// ------------------------------------------------------------------------------------------------ showing
const picture = new Picture(document.querySelector("#stage svg"), nodes, edges, data.turned);
edges.forEach((e) => { e.numeric = data.numeric.includes(e.id); });
const phases = { start: "start", forward: "forward", seed: "backward", backward: "backward", update: "update" };

function show() {
  const { iteration, step } = place, s = steps[step], now = known(step), here = run();
  const passed = s.phase !== "start" && s.phase !== "forward";
  for (const n of nodes) {
    const value = now.values.get(n.id), grad = now.grads.get(n.id);
    picture.write(n, "values", value, "?", lang, W);
    picture.write(n, "grads", grad, "·", lang, W);
    picture.mark(n.id, { todo: !value });
    const said = (a, letter) => (a ? cardLines(a, letter, "", lang, W, letter === "v" && whole(n)).join(" ") : W.pending);
    picture.label(n.id, `${n.name}, ${W.value} ${said(value, "v")}${n.wants ? `, ${W.gradient} ${said(grad, "∇")}` : ""}`);
  }
  for (const e of edges) {
    const local = here.local.get(e.id);
    if (local) picture.local(e, short(local.data[0], false, lang));
    const active = s.edges?.includes(e) || (s.phase === "forward" && e.target === s.id);
    picture.mark(e.id, { there: now.values.has(e.target), back: now.travelled.has(e.id), now: Boolean(active), forth: s.phase === "forward" });
  }
  const active = s.phase === "update" ? weights.map((w) => w.id)
    : s.phase === "start" ? [] : [s.id, ...(s.edges ?? []).map((e) => e.target)];
  picture.ring(chosen ? [chosen] : [...new Set(active)], phases[s.phase]);
  if (s.phase !== "update") picture.follow(active);

  find("phase").textContent = `${W[s.phase]}`;
  find("phase").className = phases[s.phase];
  find("where").textContent = `${say(W.step, step, steps.length - 1)}${learns ? ` · ${say(W.iteration, iteration + 1)}` : ""}`;
  find("equation").replaceChildren(...(chosen ? inspected(chosen) : equation(step)));
  const scrub = find("scrub");
  scrub.max = steps.length - 1;
  scrub.value = step;
  scrub.setAttribute("aria-valuetext", `${W[s.phase]}${s.id ? ` ${node.get(s.id).name}` : ""}, ${find("where").textContent}`);
  root.style.setProperty("--done", `${(100 * step) / (steps.length - 1)}%`);
  find("first").disabled = find("back").disabled = !step && !iteration;
  find("last").disabled = step === steps.length - 1;
  find("next").disabled = step === steps.length - 1 && !learns;
  root.classList.toggle("passed", passed);
  chart();
  knobs();
  if (find("table").open) tabulate();
}

function tabulate() {
  const now = known(place.step), here = run();
  const cell = (tag, ...children) => element(tag, {}, ...children);
  const text = (a, missing, letter, n) => (a ? cardLines(a, letter, missing, lang, W, letter === "v" && whole(n)).join(" ") : missing);
  find("cells").replaceChildren(...nodes.map((n) => cell("tr",
    element("th", { scope: "row" }, bdi(n.id)), cell("td", n.sign ?? W[n.kind] ?? ""),
    cell("td", text(now.values.get(n.id), "?", "v", n)), cell("td", n.wants ? text(now.grads.get(n.id), "·", "∇", n) : "—"),
    cell("td", ...into(n.id).flatMap((e) => {
      const local = here.local.get(e.id);
      return local ? [element("div", {}, `∂${n.name}/∂${node.get(e.source).name} = `, short(local.data[0], false, lang))] : [];
    })))));
}

// Every step with its equation, for reading at leisure and for print.
function unfold() {
  find("list").replaceChildren(...steps.map((s, i) => element("li", { class: phases[s.phase] },
    element("h3", {}, W[s.phase], ...(s.id ? [" ", bdi(s.id)] : [])), ...equation(i))));
}

// ------------------------------------------------------------------------------------------------ learning
function chart() {
  const box = find("chart");
  if (!box) return;
  const costs = iterations.slice(0, Math.max(place.iteration + 1, iterations.length)).map((_, k) => cost(k));
  const top = Math.max(...costs), low = Math.min(0, ...costs), wide = Math.max(costs.length - 1, 1);
  const at = (k) => [34 + (k / wide) * 250, 92 - ((costs[k] - low) / (top - low || 1)) * 76].map((x) => x.toFixed(1));
  const line = element("polyline", { xmlns: SVG, class: "curve", points: costs.map((_, k) => at(k).join(",")).join(" ") });
  const dots = costs.length > 60 ? [] : costs.map((_, k) => element("circle", { xmlns: SVG, class: "dot", cx: at(k)[0], cy: at(k)[1], r: 2.5 }));
  const [x, y] = at(place.iteration);
  const label = (tx, ty, anchor, text) => element("text", { xmlns: SVG, x: tx, y: ty, "text-anchor": anchor }, text);
  const said = (x) => String(Number(x.toPrecision(2))).replace("-", "−").replace(".", lang === "pt" ? "," : ".");
  box.replaceChildren(
    element("path", { xmlns: SVG, class: "axis", d: "M34 10V92H290" }), line, ...dots,
    element("circle", { xmlns: SVG, class: "here", cx: x, cy: y, r: 5 }),
    label(30, 20, "end", said(top)), label(30, 95, "end", said(low)),
    label(34, 108, "start", "1"), label(290, 108, "end", costs.length > 1 ? String(costs.length) : ""),
  );
  box.setAttribute("aria-label", say(W.cost, loss.name));
  const before = place.iteration ? cost(place.iteration - 1) : cost(place.iteration);
  const now = cost(place.iteration), change = now - before;
  find("cost").replaceChildren(bdi(loss.id), ` = ${short(now, false, lang)}`,
    ...(change ? [element("small", {}, ` ${say(W.change, short(change, false, lang))}`)] : []));
  find("eta").textContent = trim(short(eta, false, lang));
}

// A slider for each number that may be changed, made once.
const dials = [];
const dialled = ["param", "input", "target"].flatMap((kind) =>
  nodes.filter((n) => live && n.kind === kind && leaf(n) && !whole(n) && n.value.data.length <= 16));
function knob(n, i) {
  const label = n.shape.length ? `${n.name}[${spot(n.shape, i)}]` : n.name, x = n.value.data[i];
  const reach = Math.max(1, 2 ** Math.ceil(Math.log2(Math.abs(x) * 2 || 1)));
  const id = `k_${n.id}_${i}`;
  const slide = element("input", { type: "range", id, min: -reach, max: reach, step: reach / 200 });
  const field = element("input", { type: "number", step: "any", "aria-label": label });
  const checked = element("output", { for: id });
  const turn = (input) => () => {
    if (input.value === "" || !Number.isFinite(Number(input.value))) return;
    const it = iterations[place.iteration], leaves = new Map(it.leaves), old = leaves.get(n.id);
    leaves.set(n.id, { shape: n.shape, data: old.data.map((v, j) => (j === i ? Number(input.value) : v)) });
    iterations.length = place.iteration + 1;
    iterations[place.iteration] = { leaves };
    show();
    if (n.wants) checked.textContent = say(W.checked, short(difference(leaves, n, i), false, lang));
  };
  slide.addEventListener("input", turn(slide));
  field.addEventListener("change", turn(field));
  const found = element("span", { class: "grad" });
  dials.push({ n, i, slide, field, found, checked });
  return element("div", { class: `dial ${n.kind}` }, element("label", { for: id }, element("bdi", {}, label)), slide, field, found, checked);
}
const spot = (shape, i) => {
  const at = [];
  for (const size of [...shape].reverse()) {
    at.unshift(i % size);
    i = Math.floor(i / size);
  }
  return at.join(",");
};
// The slope of the cost along one number, by a central difference: no rule is used.
function difference(leaves, n, i) {
  const h = 1e-5, total = (run) => roots.reduce((s, r) => s + run.value.get(r.id).data.reduce((s, v, j) => s + v * seed(r).data[j], 0), 0);
  const moved = (by) => total(computed(new Map([...leaves, [n.id, { shape: n.shape, data: leaves.get(n.id).data.map((v, j) => (j === i ? v + by : v)) }]])));
  return (moved(h) - moved(-h)) / (2 * h);
}
function knobs() {
  const leaves = iterations[place.iteration].leaves, grad = run().grad;
  for (const { n, i, slide, field, found, checked } of dials) {
    const x = leaves.get(n.id).data[i];
    if (document.activeElement !== slide) checked.textContent = "";
    slide.value = x;
    slide.setAttribute("aria-valuetext", short(x, false, lang));
    if (document.activeElement !== field) field.value = Number(x.toPrecision(6));
    const g = grad.get(n.id);
    found.textContent = g && n.wants ? `∇ ${short(g.data[i], false, lang)}` : "";
  }
}

// ------------------------------------------------------------------------------------------------ moving
function go(step, iteration = place.iteration) {
  place.iteration = iteration;
  place.step = Math.max(0, Math.min(steps.length - 1, step));
  chosen = null;
  show();
}
function next() {
  if (place.step < steps.length - 1) go(place.step + 1);
  else if (learns) go(0, onward());
}
function back() {
  if (place.step) go(place.step - 1);
  else if (place.iteration) go(steps.length - 1, place.iteration - 1);
}
const phase = (name) => go(steps.findIndex((s) => s.phase === name));
function descend() {
  if (steps[place.step].phase === "update") next();
  else phase("update");
}
function many() {
  for (let k = 0; k < 10; k++) place.iteration = onward();
  go(steps.length - 2);
}
function restore() {
  iterations.splice(0, iterations.length, { leaves: start });
  go(0, 0);
}
function play(on) {
  clearInterval(playing);
  playing = 0;
  if (on) {
    if (place.step === steps.length - 1) next();
    playing = setInterval(() => {
      next();
      if (place.step === steps.length - 1) play(false);
    }, 1500 / Number(find("speed").value));
  }
  find("play").setAttribute("aria-pressed", String(Boolean(on)));
  find("play").setAttribute("aria-label", on ? W.pause : W.play);
  find("play").title = on ? W.pause : W.play;
  find("equation").setAttribute("aria-live", on ? "off" : "polite");
}
function present(on) {
  root.classList.toggle("presenting", on);
  find("present").setAttribute("aria-pressed", String(on));
  if (on) root.requestFullscreen?.().catch(() => {});
  else if (document.fullscreenElement) document.exitFullscreen();
  requestAnimationFrame(() => { picture.settle(); show(); });
}
function settings(open) {
  find("keys").hidden = !open;
  find("help").setAttribute("aria-expanded", String(open));
}
function look(id) {
  chosen = id;
  show();
}

// ------------------------------------------------------------------------------------------------ words and colours
function translate() {
  W = data.words[lang];
  root.lang = lang === "pt" ? "pt-BR" : "en";
  for (const e of document.querySelectorAll("[data-t]")) e.textContent = W[e.dataset.t];
  for (const e of document.querySelectorAll("[data-l]")) {
    e.setAttribute("aria-label", W[e.dataset.l]);
    e.title = W[e.dataset.l];
  }
  if (obstacle) find("note").textContent = say(W.recorded, obstacle());
  if (find("steps").open) unfold();
  show();
}
const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = () => { root.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme; };

// ------------------------------------------------------------------------------------------------ controls
function control(id, event, act) {
  find(id)?.addEventListener(event, act);
}
control("first", "click", () => go(0, 0));
control("back", "click", back);
control("play", "click", () => play(!playing));
control("next", "click", next);
control("last", "click", () => go(steps.length - 1));
control("scrub", "input", (e) => go(Number(e.target.value)));
control("speed", "change", () => playing && play(true));
control("mode", "change", (e) => { mode = e.target.value; steps = planned(); remembered = new WeakMap(); go(Math.min(place.step, steps.length - 1)); });
control("fit", "click", () => picture.fit());
control("larger", "click", () => picture.zoom(1.3));
control("smaller", "click", () => picture.zoom(1 / 1.3));
control("present", "click", () => present(!root.classList.contains("presenting")));
control("help", "click", () => settings(find("keys").hidden));
control("lang", "change", (e) => { lang = e.target.value; translate(); });
control("theme", "change", (e) => { theme = e.target.value; colour(); });
control("descend", "click", descend);
control("many", "click", many);
control("restore", "click", restore);
control("rate", "input", (e) => { eta = 10 ** Number(e.target.value); iterations.length = place.iteration + 1; show(); });
control("table", "toggle", tabulate);
control("steps", "toggle", () => find("steps").open && unfold());
dark.addEventListener("change", colour);
addEventListener("resize", () => picture.settle());
// On paper stand the finished drawing, every step, and the table.
let held = null;
function paper(on) {
  if (on === Boolean(held)) return;
  const pages = [find("steps"), find("table")];
  if (on) {
    held = { step: place.step, open: pages.map((p) => p.open) };
    pages.forEach((p) => { p.open = true; });
    go(steps.findLastIndex((s) => s.phase !== "update"));
    picture.fit();
    unfold();
    tabulate();
  } else {
    pages.forEach((p, i) => { p.open = held.open[i]; });
    go(held.step);
    held = null;
  }
}
addEventListener("beforeprint", () => paper(true));
addEventListener("afterprint", () => paper(false));
matchMedia("print").addEventListener("change", (e) => paper(e.matches));
document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && root.classList.contains("presenting")) present(false); });

// One node of the graph can be reached with the tabulator, the others from it along the edges.
const stage = find("stage");
for (const n of nodes) {
  const group = picture.group.get(n.id);
  group.setAttribute("role", "button");
  group.setAttribute("tabindex", n === loss ? "0" : "-1");
  group.addEventListener("click", () => { if (!stage.dragged) look(chosen === n.id ? null : n.id); });
}
function walk(id, key) {
  const order = nodes.map((n) => n.id), at = order.indexOf(id);
  const to = {
    ArrowLeft: node.get(id).args?.find(Boolean), ArrowRight: edges.find((e) => e.source === id)?.target,
    ArrowUp: order[at - 1], ArrowDown: order[at + 1],
  }[key];
  if (!to) return;
  picture.group.get(id).setAttribute("tabindex", "-1");
  picture.group.get(to).setAttribute("tabindex", "0");
  picture.group.get(to).focus();
  picture.follow([to]);
}
const keys = {
  ArrowRight: next, ArrowLeft: back, ".": next, ",": back, Home: () => go(0), End: () => go(steps.length - 1), " ": () => play(!playing),
  f: () => phase("forward"), b: () => phase("seed"), u: () => learns && descend(),
  p: () => present(!root.classList.contains("presenting")), "?": () => find("help").click(),
  "+": () => picture.zoom(1.3), "-": () => picture.zoom(1 / 1.3), 0: () => picture.fit(),
  Escape: () => { play(false); settings(false); if (chosen) look(null); else if (root.classList.contains("presenting")) present(false); },
};
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key, on = e.target;
  const within = on.closest?.("#stage g[tabindex]");
  if (within && /^Arrow|^Enter$/.test(key)) {
    if (key === "Enter") look(within.id);
    else walk(within.id, key);
  } else if (on.matches?.("input:not([type=range]), select") || (on.matches?.("input[type=range]") && /^Arrow|^Home$|^End$|^Page/.test(key))
    || (on.matches?.("button, summary, a") && (key === " " || key === "Enter")) || !keys[key]) return;
  else keys[key]();
  e.preventDefault();
  e.stopPropagation();
});

// ------------------------------------------------------------------------------------------------ beginning
root.classList.replace("still", "playable");
find("steps").open = false;
steps = planned();
if (!live) find("note").hidden = false;
if (!learns) find("learning").remove();
if (dialled.length) find("dials").replaceChildren(...dialled.flatMap((n) => n.value.data.map((_, i) => knob(n, i))));
else find("knobs").remove();
find("lang").value = lang;
find("theme").value = theme;
find("mode").value = mode;
if (find("rate")) find("rate").value = Math.log10(eta);
colour();
picture.settle();
translate();
