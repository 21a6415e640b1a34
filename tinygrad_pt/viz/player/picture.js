// The drawing in the page: numbers written into its cards, what is known and what is under way marked, zoom and pan.
class Picture {
  constructor(svg, nodes, edges, turned) {
    this.svg = svg;
    this.nodes = nodes;
    this.edges = edges;
    this.turned = turned;
    this.elements = [svg, ...svg.querySelectorAll("*")];
    this.flat = new Map();
    this.way = "LR";
    this.group = new Map([...nodes, ...edges].map((x) => [x.id, svg.querySelector(`#${x.id}`)]));
    const part = (node, kind) => this.group.get(node.id).querySelector(`.${kind}`);
    this.places = new Map(nodes.map((n) => [n.id, { values: part(n, "values"), grads: part(n, "grads") }]));
    this.rings = element("g", { xmlns: SVG, class: "rings" });
    svg.append(this.rings);
    this.measure();
    this.seen = [...this.box]; // until the frame has a size
    this.hold();
  }

  // -------------------------------------------------------------------------------------------- two layouts
  measure() {
    this.box = this.svg.getAttribute("viewBox").split(" ").map(Number);
    for (const place of [...this.places.values()].flatMap(Object.values)) {
      if (place?.querySelector(".cell")) Object.assign(place, { squares: this.squares(place), shown: null });
    }
  }

  // Where the cells of a heat map stand, row after row.
  squares(place) {
    const found = [...place.querySelectorAll(".cell")].flatMap((p) => p.getAttribute("d").match(/M[^M]+/g));
    const at = (d) => d.match(/^M(\S+) (\S+?)h([\d.]+)/).slice(1).map(Number);
    return found.map((d) => [d, ...at(d)]).sort((a, b) => a[2] - b[2] || a[1] - b[1]);
  }

  // Lay the drawing out the other way: every element gets the places it has there.
  turn(way) {
    if (way === this.way || !this.turned) return;
    for (const [number, ...moves] of this.turned) {
      const moved = this.elements[number];
      for (let i = 0; i < moves.length; i += 2) {
        const key = `${number} ${moves[i]}`;
        if (!this.flat.has(key)) this.flat.set(key, moved.getAttribute(moves[i]) ?? "");
        moved.setAttribute(moves[i], way === "TB" ? moves[i + 1] : this.flat.get(key));
      }
    }
    this.way = way;
    this.measure();
  }

  // How large the drawing is in its frame if it runs this way.
  scale(way) {
    const frame = this.svg.parentElement;
    const other = way !== this.way && this.turned?.find((m) => m[0] === 0)?.slice(1);
    const box = other && way === "TB" ? other[other.indexOf("viewBox") + 1].split(" ").map(Number)
      : other ? this.flat.get("0 viewBox").split(" ").map(Number) : this.box;
    return Math.min(frame.clientWidth / box[2], frame.clientHeight / box[3]);
  }

  // Down a narrow page, else the layout that is larger in the frame; if it is too small to read, a part of it.
  settle() {
    if (!this.svg.parentElement.clientWidth) return;
    const narrow = this.svg.parentElement.clientWidth < 640;
    this.turn(this.turned && (narrow || this.scale("TB") > this.scale("LR") * 1.05) ? "TB" : "LR");
    this.fit();
    const scale = this.scale(this.way);
    if (scale < 0.6) this.zoom(0.8 / scale, this.box[0], this.box[1]);
  }

  // -------------------------------------------------------------------------------------------- numbers
  write(node, kind, array, missing, lang, words) {
    const place = this.places.get(node.id)[kind];
    if (!place) return;
    const said = cardLines(array, kind === "values" ? "v" : "∇", missing, lang, words, /int|bool/.test(node.dtype) && kind === "values");
    if (place.said !== said.join("\n")) {
      place.said = said.join("\n");
      [...place.querySelectorAll("text")].slice(1).forEach((text, i) => { text.textContent = said[i] ?? ""; });
    }
    if (place.squares && place.shown !== array) this.heat(place, array);
    place.shown = array;
  }

  heat(place, array) {
    const cells = [...place.querySelectorAll(".cell")], first = cells[0], marks = place.querySelector(".sign");
    const data = array?.data ?? [], top = Math.max(0, ...data.map(Math.abs).filter(Number.isFinite)) || 1;
    const level = (x) => (Number.isNaN(x) ? "nan" : x === 0 ? "z"
      : (x < 0 ? "m" : "p") + Math.ceil(Math.min(1, Math.abs(x) / top) * 4));
    const drawn = new Map(), strokes = [];
    place.squares.forEach(([d, x, y, side], i) => {
      const name = data.length ? level(data[i]) : "none";
      drawn.set(name, (drawn.get(name) ?? "") + d);
      const [cx, cy] = [x + side / 2, y + side / 2];
      if (data.length && side >= 8 && data[i]) strokes.push(`M${cx - 2} ${cy}h4${data[i] > 0 ? `M${cx} ${cy - 2}v4` : ""}`);
    });
    cells.slice(1).forEach((c) => c.remove());
    [...drawn].forEach(([name, d], i) => {
      const cell = i ? first.cloneNode() : first;
      cell.setAttribute("class", `cell f-${name}`);
      cell.setAttribute("d", d);
      if (i) first.after(cell);
    });
    marks?.setAttribute("d", strokes.join(""));
  }

  local(edge, text) {
    const texts = this.group.get(edge.id).querySelectorAll(".locals text");
    if (edge.numeric && texts.length) texts[texts.length - 1].textContent = (texts.length > 1 ? "= " : "") + text;
  }

  // -------------------------------------------------------------------------------------------- what is under way
  mark(id, names) {
    const group = this.group.get(id);
    for (const [name, on] of Object.entries(names)) group.classList.toggle(name, on);
  }

  label(id, text) {
    const group = this.group.get(id);
    if (group.said !== text) group.setAttribute("aria-label", group.said = text);
  }

  ring(ids, phase) {
    this.rings.replaceChildren(...ids.map((id) => {
      const group = this.group.get(id), b = group.getBBox();
      const place = { x: b.x - 5, y: b.y - 5, width: b.width + 10, height: b.height + 10, rx: 9 };
      const moved = [group.parentElement, group].map((g) => g.getAttribute("transform") ?? "").join("");
      return element("rect", { xmlns: SVG, class: `ring ${phase}`, transform: moved, ...place });
    }));
  }

  // -------------------------------------------------------------------------------------------- zoom and pan
  fit() {
    const by = Math.max(1, this.scale(this.way) / 1.7), [x, y, w, h] = this.box; // a small drawing need not grow huge
    this.seen = [x - (w * (by - 1)) / 2, y - (h * (by - 1)) / 2, w * by, h * by];
    this.look();
  }
  look() {
    const [, , w, h] = this.box, seen = this.seen;
    const frame = this.svg.parentElement, scale = Math.min(frame.clientWidth / seen[2], frame.clientHeight / seen[3]) || 1;
    const held = (at, part, whole, room) => { // what is larger than the frame fills it, what is smaller stands within
      const spare = (room / scale - part) / 2, low = Math.min(spare, whole - part - spare), high = Math.max(spare, whole - part - spare);
      return Math.min(Math.max(at, low - 12), high + 12);
    };
    seen[0] = held(seen[0], seen[2], w, frame.clientWidth);
    seen[1] = held(seen[1], seen[3], h, frame.clientHeight);
    this.svg.setAttribute("viewBox", seen.map((x) => x.toFixed(1)).join(" "));
    this.svg.parentElement.classList.toggle("zoomed", seen[2] < w * 0.99);
  }
  zoom(factor, x = this.seen[0] + this.seen[2] / 2, y = this.seen[1] + this.seen[3] / 2) {
    const most = this.box[2] * 1.5, w = Math.min(most, Math.max(120, this.seen[2] / factor)), by = w / this.seen[2];
    this.seen = [x - (x - this.seen[0]) * by, y - (y - this.seen[1]) * by, w, this.seen[3] * by];
    this.look();
  }
  point(event) {
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [p.x, p.y];
  }
  // Bring what is under way into sight.
  follow(ids) {
    if (!ids.length || this.seen[2] > this.box[2] * 0.99) return;
    const frame = this.svg.parentElement.getBoundingClientRect();
    const inside = (id) => {
      const r = this.group.get(id).getBoundingClientRect();
      return r.left >= frame.left && r.right <= frame.right && r.top >= frame.top && r.bottom <= frame.bottom;
    };
    if (ids.every(inside)) return;
    const boxes = ids.map((id) => this.group.get(id).getBoundingClientRect());
    const middle = (low, high) => (Math.min(...boxes.map((b) => b[low])) + Math.max(...boxes.map((b) => b[high]))) / 2;
    const [x, y] = this.point({ clientX: middle("left", "right"), clientY: middle("top", "bottom") });
    this.seen = [x - this.seen[2] / 2, y - this.seen[3] / 2, this.seen[2], this.seen[3]];
    this.look();
  }

  hold() {
    const frame = this.svg.parentElement, held = new Map();
    let gap = 0;
    const spread = () => {
      const [a, b] = [...held.values()];
      return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    };
    frame.addEventListener("pointerdown", (e) => {
      if (e.target.closest("button")) return;
      held.set(e.pointerId, e);
      if (held.size === 2) gap = spread();
      frame.dragged = false;
    });
    frame.addEventListener("pointermove", (e) => {
      const before = held.get(e.pointerId);
      if (!before) return;
      const [x0, y0] = this.point(before), [x1, y1] = this.point(e);
      if (Math.hypot(e.clientX - before.clientX, e.clientY - before.clientY) < 3 && !frame.dragged) return;
      if (!frame.dragged) frame.setPointerCapture(e.pointerId);
      frame.dragged = true;
      held.set(e.pointerId, e);
      if (held.size === 1) {
        this.seen[0] -= x1 - x0;
        this.seen[1] -= y1 - y0;
        this.look();
      } else if (held.size === 2) {
        const now = spread();
        if (gap) this.zoom(now / gap, x1, y1);
        gap = now;
      }
    });
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (e) => held.delete(e.pointerId));
    frame.addEventListener("wheel", (e) => {
      if (!e.ctrlKey && !e.metaKey && !frame.classList.contains("zoomed") && !document.documentElement.classList.contains("presenting")) return;
      e.preventDefault();
      this.zoom(Math.exp(-e.deltaY / 400), ...this.point(e));
    }, { passive: false });
  }
}

// What a card says of a value: its elements if they are few, else how large they are.
function cardLines(array, letter, missing, lang, words, whole) {
  if (!array) return [missing];
  if (array.lines) return lang === "pt" ? array.lines.map((l) => l.replace(/(\d)\.(\d)/g, "$1,$2")) : array.lines;
  const { data, shape } = array, comma = lang === "pt" ? "; " : ", ";
  if (!data.length) return [words.empty];
  if (!shape.length) return [short(data[0], whole, lang)];
  if (data.length <= 4) return rows(array).map((r) => `[${r.map((x) => short(x, whole, lang)).join(comma)}]`);
  if (data.length > 64) {
    const norm = Math.hypot(...data), text = short(norm, false, lang);
    return [`‖${letter}‖ ${exact(text, norm) ? "=" : "≈"} ${text}`];
  }
  return [`|${letter}| ≤ ${short(Math.max(0, ...data.map(Math.abs).filter(Number.isFinite)), whole, lang)}`];
}
