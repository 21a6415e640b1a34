// The ops of the engine on small arrays, and the interpreter of its rules. An array is {shape, data}, its elements row
// after row. No derivative stands here: the rules come with the page, as expressions made of these same ops.
const Ops = (() => {
  const count = (shape) => shape.reduce((n, k) => n * k, 1);
  const array = (data, shape = []) => ({ shape, data });
  const same = (a, b) => a.length === b.length && a.every((n, i) => n === b[i]);
  const range = (n) => Array.from({ length: n }, (_, i) => i);
  const fail = (why) => { throw new Error(why); };

  // ---------------------------------------------------------------------------------------------- reading by strides
  const strides = (shape) => {
    const step = shape.map(() => 1);
    for (let i = shape.length - 2; i >= 0; i--) step[i] = step[i + 1] * shape[i + 1];
    return step;
  };

  // The places in memory of the elements of a view, row after row.
  function places(shape, step, start = 0) {
    let found = [start];
    shape.forEach((n, i) => { found = found.flatMap((at) => range(n).map((k) => at + k * step[i])); });
    return found;
  }
  const view = (a, shape, step, start = 0) => array(places(shape, step, start).map((i) => a.data[i]), shape);

  function stretch(a, shape) {
    const lead = shape.length - a.shape.length, own = strides(a.shape);
    const step = shape.map((n, i) => (i < lead || (a.shape[i - lead] === 1 && n !== 1) ? 0 : own[i - lead]));
    return same(a.shape, shape) ? a : view(a, shape, step);
  }

  function common(...shapes) {
    const most = Math.max(...shapes.map((s) => s.length));
    return range(most).map((i) => {
      const sizes = shapes.map((s) => s[s.length - most + i] ?? 1).filter((n) => n !== 1);
      if (sizes.some((n) => n !== sizes[0])) fail("shapes do not fit");
      return sizes[0] ?? 1;
    });
  }

  const axisOf = (axis, dims) => (axis < 0 ? axis + dims : axis);
  const axesOf = (axis, dims) =>
    axis === null || axis === undefined ? range(dims) : [axis].flat().map((i) => axisOf(i, dims));

  // ---------------------------------------------------------------------------------------------- kinds of ops
  const each = (f) => (a, attrs) => array(a.data.map((x) => f(x, attrs)), a.shape);
  const pair = (f) => (a, b) => {
    const shape = common(a.shape, b.shape), x = stretch(a, shape).data, y = stretch(b, shape).data;
    return array(x.map((v, i) => f(v, y[i])), shape);
  };
  const truth = (f) => pair((a, b) => (f(a, b) ? 1 : 0));

  // A function of all elements along some axes, one result for each place that is left.
  const reduce = (f) => (a, { axis, keepdims }) => {
    const gone = axesOf(axis, a.shape.length), own = strides(a.shape);
    const left = range(a.shape.length).filter((i) => !gone.includes(i));
    const starts = places(left.map((i) => a.shape[i]), left.map((i) => own[i]));
    const inner = places(gone.map((i) => a.shape[i]), gone.map((i) => own[i]));
    const shape = keepdims ? a.shape.map((n, i) => (gone.includes(i) ? 1 : n)) : left.map((i) => a.shape[i]);
    return array(starts.map((s) => f(inner.map((i) => a.data[s + i]))), shape);
  };
  // A function of the elements along one axis, which answers with as many.
  const along = (f) => (a, { axis }) => {
    const at = axisOf(axis ?? 0, a.shape.length), own = strides(a.shape), data = [...a.data];
    if (!a.shape.length) return array(f(a.data));
    const starts = places(a.shape.map((n, i) => (i === at ? 1 : n)), own);
    for (const s of starts) {
      const row = range(a.shape[at]).map((k) => s + k * own[at]);
      f(row.map((i) => a.data[i])).forEach((x, k) => { data[row[k]] = x; });
    }
    return array(data, a.shape);
  };

  const total = (x) => x.reduce((s, v) => s + v, 0);
  const product = (x) => x.reduce((p, v) => p * v, 1);
  const most = (x) => x.reduce((m, v) => (m >= v || Number.isNaN(m) ? m : v), -Infinity);
  const least = (x) => x.reduce((m, v) => (m <= v || Number.isNaN(m) ? m : v), Infinity);
  const even = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  const modulo = (a, b) => { const r = a % b; return r !== 0 && (r < 0) !== (b < 0) ? r + b : r; };
  const sigmoid = (a) => { const e = Math.exp(Math.min(a, 40)); return e / (e + 1); };
  const softplus = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
  // erf by its series, and further out 1 - erfc by its continued fraction.
  function erf(x) {
    if (Math.abs(x) > 3) {
      let f = 0;
      for (let k = 60; k > 0; k--) f = k / 2 / (Math.abs(x) + f);
      return Math.sign(x) * (1 - Math.exp(-x * x) / (Math.abs(x) + f) / Math.sqrt(Math.PI));
    }
    let sum = 0, term = x;
    for (let n = 0; n < 80; n++) {
      sum += term / (2 * n + 1);
      term *= (-x * x) / (n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  const normal = (x) => 0.5 * (1 + erf(x * Math.SQRT1_2));
  const soften = (x) => {
    const top = most(x), e = x.map((v) => Math.exp(v - top)), sum = total(e);
    return e.map((v) => v / sum);
  };
  const logs = (x) => { const top = most(x); return top + Math.log(total(x.map((v) => Math.exp(v - top)))); };
  const softsigmoid = (a, b) => {
    const e = Math.exp(-Math.abs(a)), rest = e / (1 + e);
    return a > 0 ? 1 - b - rest : rest - b;
  };
  const reduced = (losses, { reduction }) => {
    if (reduction === "none") return losses;
    const sum = total(losses.data);
    return array([reduction === "mean" ? sum / losses.data.length : sum]);
  };

  // ---------------------------------------------------------------------------------------------- products
  function matmul(a, b) {
    const [n, k] = a.shape.slice(-2), m = b.shape.at(-1);
    const lead = common(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const x = stretch(a, [...lead, n, k]).data, y = stretch(b, [...lead, k, m]).data, data = [];
    range(count(lead)).forEach((l) => range(n).forEach((i) => range(m).forEach((j) => {
      data.push(total(range(k).map((q) => x[(l * n + i) * k + q] * y[(l * k + q) * m + j])));
    })));
    return array(data, [...lead, n, m]);
  }
  const swap = (a, i, j) => {
    const order = range(a.shape.length);
    [order[i], order[j]] = [order[j], order[i]];
    return permute(a, order);
  };
  const permute = (a, axes) => {
    const own = strides(a.shape);
    return view(a, axes.map((i) => a.shape[i]), axes.map((i) => own[i]));
  };
  const turned = (a) => (a.shape.length < 2 ? a : swap(a, a.shape.length - 2, a.shape.length - 1));

  // ---------------------------------------------------------------------------------------------- places
  function cut(a, axis, start, length) {
    const own = strides(a.shape);
    return view(a, a.shape.map((n, i) => (i === axis ? length : n)), own, start * own[axis]);
  }
  function framed(a, widths, value) {
    const shape = a.shape.map((n, i) => n + widths[i][0] + widths[i][1]), own = strides(a.shape);
    const data = places(shape, shape.map(() => 0)).map(() => value);
    const step = strides(shape);
    range(count(a.shape)).forEach((i) => {
      const at = a.shape.map((n, d) => (Math.floor(i / own[d]) % n) + widths[d][0]);
      if (at.every((k, d) => k >= 0 && k < shape[d])) data[total(at.map((k, d) => k * step[d]))] = a.data[i];
    });
    return array(data, shape);
  }
  // The places that a basic index (integers, slices, new axes, an ellipsis) names, and their shape.
  function indexed(shape, index) {
    const parts = Array.isArray(index) ? index : [index], own = strides(shape);
    const used = parts.filter((p) => p !== null && p !== "...").length, rest = shape.length - used;
    const out = [], step = [];
    let start = 0, at = 0;
    const whole = () => { out.push(shape[at]); step.push(own[at]); at++; };
    for (const p of parts) {
      if (p === null) { out.push(1); step.push(0); }
      else if (p === "...") range(rest).forEach(whole);
      else if (typeof p === "number") start += (p < 0 ? p + shape[at] : p) * own[at++];
      else if (p.slice) {
        const by = p.slice[2] ?? 1, n = shape[at];
        const bound = (x, missing) => (x === null ? missing : Math.max(by < 0 ? -1 : 0, Math.min(x < 0 ? x + n : x, by < 0 ? n - 1 : n)));
        const from = bound(p.slice[0], by < 0 ? n - 1 : 0), to = bound(p.slice[1], by < 0 ? -1 : n);
        start += from * own[at];
        out.push(Math.max(0, Math.ceil((to - from) / by)));
        step.push(by * own[at++]);
      } else fail("an index of arrays");
    }
    while (at < shape.length) whole();
    return [places(out, step, start), out];
  }
  // The place of the class of each target along an axis.
  function classes(shape, b, axis) {
    const at = axisOf(axis, shape.length), own = strides(shape), rest = strides(b.shape);
    return b.data.map((k, i) => total(shape.map((n, d) => {
      if (d === at) return k * own[d];
      const r = d < at ? d : d - 1;
      return (Math.floor(i / rest[r]) % b.shape[r]) * own[d];
    })));
  }

  // ---------------------------------------------------------------------------------------------- the table
  // One op after another; a page has those that its graph needs.
  const table = {};
  table.leaf = (a) => a;
  table.cast = (a, { dtype }) => (/int/.test(dtype) ? each(Math.trunc)(a) : /bool/.test(dtype) ? each((x) => (x ? 1 : 0))(a) : a);
  table.clone = (a) => a;
  table.zero = each(() => 0);
  table.copy = (a, b) => stretch(b, a.shape);
  table.add = pair((a, b) => a + b);
  table.sub = pair((a, b) => a - b);
  table.mul = pair((a, b) => a * b);
  table.div = pair((a, b) => a / b);
  table.pow = pair((a, b) => (a === 1 ? 1 : a ** b));
  table.power = each((a, { n }) => a ** n);
  table.maximum = pair((a, b) => (a !== a ? a : b !== b ? b : Math.max(a, b)));
  table.minimum = pair((a, b) => (a !== a ? a : b !== b ? b : Math.min(a, b)));
  table.remainder = pair(modulo);
  table.fmod = pair((a, b) => a % b);
  table.floor_divide = pair((a, b) => Math.floor(a / b));
  table.trunc_divide = pair((a, b) => even((a - (a % b)) / b));
  table.atan2 = pair(Math.atan2);
  table.hypot = pair(Math.hypot);
  table.cosine = pair((a, b) => (a || b ? a / Math.hypot(a, b) : 0));
  table.inversion = pair((a, b) => { const h = Math.hypot(a, b); return h ? a / h / h : 0; });
  table.logaddexp = pair((a, b) => (a === b ? a + Math.LN2 : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))));
  table.eq = truth((a, b) => a === b);
  table.ne = truth((a, b) => a !== b);
  table.lt = truth((a, b) => a < b);
  table.le = truth((a, b) => a <= b);
  table.gt = truth((a, b) => a > b);
  table.ge = truth((a, b) => a >= b);
  table.same = truth((a, b) => a === b || (a !== a && b !== b));
  table.logical_and = truth((a, b) => a && b);
  table.logical_or = truth((a, b) => a || b);
  table.logical_xor = truth((a, b) => !a !== !b);
  table.logical_not = each((a) => (a ? 0 : 1));
  table.isnan = each((a) => (a !== a ? 1 : 0));
  table.isinf = each((a) => (Math.abs(a) === Infinity ? 1 : 0));
  table.isfinite = each((a) => (Number.isFinite(a) ? 1 : 0));
  table.where = (a, b, c) => {
    const shape = common(a.shape, b.shape, c.shape), [p, x, y] = [a, b, c].map((z) => stretch(z, shape).data);
    return array(p.map((t, i) => (t ? x[i] : y[i])), shape);
  };
  table.lerp = (a, b, c) => table.add(a, table.mul(c, table.sub(b, a)));
  table.clamp = each((a, { low, high }) => (a !== a ? a : Math.min(Math.max(a, low ?? -Infinity), high ?? Infinity)));
  table.neg = each((a) => -a);
  table.reciprocal = each((a) => 1 / a);
  table.square = each((a) => a * a);
  table.sqrt = each(Math.sqrt);
  table.rsqrt = each((a) => 1 / Math.sqrt(a));
  table.exp = each(Math.exp);
  table.expm1 = each(Math.expm1);
  table.exp2 = each((a) => 2 ** a);
  table.log = each(Math.log);
  table.log1p = each(Math.log1p);
  table.log2 = each(Math.log2);
  table.log10 = each(Math.log10);
  table.sigmoid = each(sigmoid);
  table.wide_sigmoid = each(sigmoid);
  table.log_sigmoid = each((a) => -softplus(-a));
  table.tanh = each(Math.tanh);
  table.wide_tanh = each(Math.tanh);
  table.relu = each((a) => (a !== a ? a : Math.max(a, 0)));
  table.sech = each((a) => 1 / Math.cosh(a));
  table.softsign = each((a) => a / (1 + Math.abs(a)));
  table.sin = each(Math.sin);
  table.cos = each(Math.cos);
  table.tan = each(Math.tan);
  table.sinh = each(Math.sinh);
  table.cosh = each(Math.cosh);
  table.asin = each(Math.asin);
  table.acos = each(Math.acos);
  table.atan = each(Math.atan);
  table.asinh = each(Math.asinh);
  table.acosh = each(Math.acosh);
  table.atanh = each(Math.atanh);
  table.abs = each(Math.abs);
  table.sign = each((a) => (a > 0) - (a < 0));
  table.floor = each(Math.floor);
  table.ceil = each(Math.ceil);
  table.trunc = each(Math.trunc);
  table.round = each(even);
  table.one_minus_square = each((a) => (1 - a) * (1 + a));
  table.secant = each((a) => 1 / Math.hypot(1, a));
  table.agnesi = each((a) => 1 / (1 + a * a));
  table.erf = each(erf);
  table.normal = each(normal);
  table.gelu = each((a) => a * normal(a));
  table.gelu_slope = each((a) => normal(a) + (a * Math.exp((-a * a) / 2)) / Math.sqrt(2 * Math.PI));
  table.gauss = each((a, { c }) => Math.exp(-c * a * a));
  table.sum = reduce(total);
  table.mean = reduce((x) => total(x) / x.length);
  table.prod = (a) => reduce(product)(a, { axis: -1, keepdims: false });
  table.product_of_others = (a) => along((x) => x.map((_, i) => product(x.filter((_, j) => j !== i))))(a, { axis: -1 });
  table.amax = reduce(most);
  table.amin = reduce(least);
  table.logsumexp = reduce(logs);
  table.softmax = along(soften);
  table.log_softmax = along((x) => { const sum = logs(x); return x.map((v) => v - sum); });
  table.cumsum = along((x) => { let s = 0; return x.map((v) => (s += v)); });
  table.sum_to = (a, { shape }) => {
    const lead = a.shape.length - shape.length;
    const axis = range(a.shape.length).filter((i) => i < lead || (shape[i - lead] === 1 && a.shape[i] !== 1));
    return array(table.sum(a, { axis, keepdims: false }).data, shape);
  };
  table.sum_rows = (a) => table.sum(a, { axis: 0, keepdims: false });
  table.reshape = (a, { shape }) => {
    const known = shape.filter((n) => n >= 0);
    return array(a.data, shape.map((n) => (n < 0 ? a.data.length / count(known) : n)));
  };
  table.unsqueeze = (a, { axis }) => {
    const shape = [...a.shape];
    shape.splice(axisOf(axis, shape.length + 1), 0, 1);
    return array(a.data, shape);
  };
  table.squeeze = (a, { axis }) => {
    const gone = axesOf(axis, a.shape.length);
    return array(a.data, a.shape.filter((_, i) => !gone.includes(i)));
  };
  table.expand = (a, { shape }) => stretch(a, shape);
  table.permute = (a, { axes }) => permute(a, axesOf(axes, a.shape.length));
  table.transpose = (a, { axis0, axis1 }) => swap(a, axisOf(axis0, a.shape.length), axisOf(axis1, a.shape.length));
  table.t = turned;
  table.flip = (a, { axis }) => {
    const gone = axesOf(axis, a.shape.length), own = strides(a.shape);
    const start = total(gone.map((i) => (a.shape[i] - 1) * own[i]));
    return view(a, a.shape, own.map((s, i) => (gone.includes(i) ? -s : s)), start);
  };
  table.narrow = (a, { axis, start, length }) => cut(a, axisOf(axis, a.shape.length), start, length);
  table.select = (a, { axis, index }) => {
    const at = axisOf(axis, a.shape.length), one = cut(a, at, index < 0 ? index + a.shape[at] : index, 1);
    return array(one.data, a.shape.filter((_, i) => i !== at));
  };
  table.cat = (...parts) => {
    const { axis } = parts.pop(), at = axisOf(axis, parts[0].shape.length);
    const shape = parts[0].shape.map((n, i) => (i === at ? total(parts.map((p) => p.shape[i])) : n));
    const outer = count(shape.slice(0, at)), data = [];
    range(outer).forEach((o) => parts.forEach((p) => {
      const block = p.data.length / outer;
      data.push(...p.data.slice(o * block, (o + 1) * block));
    }));
    return array(data, shape);
  };
  table.stack = (...parts) => {
    const { axis } = parts.pop(), at = axisOf(axis, parts[0].shape.length + 1);
    return table.cat(...parts.map((p) => table.unsqueeze(p, { axis: at })), { axis: at });
  };
  table.pad = (a, { widths, value }) => framed(a, widths, value);
  table.crop = (a, { widths }) => framed(a, widths.map((w) => w.map((n) => -n)), 0);
  table.getitem = (a, { index }) => {
    const [at, shape] = indexed(a.shape, index);
    return array(at.map((i) => a.data[i]), shape);
  };
  table.scatter_add = (a, { shape, index }) => {
    const [at] = indexed(shape, index), data = range(count(shape)).map(() => 0);
    at.forEach((i, k) => { data[i] += a.data[k]; });
    return array(data, shape);
  };
  table.take_rows = (a, b) => {
    const wide = a.data.length / a.shape[0], rows = b.data.flatMap((i) => a.data.slice(i * wide, (i + 1) * wide));
    return array(rows, [...b.shape, ...a.shape.slice(1)]);
  };
  table.add_rows = (a, b, { rows }) => {
    const shape = [rows, ...a.shape.slice(b.shape.length)], wide = count(shape.slice(1));
    const data = range(count(shape)).map(() => 0);
    b.data.forEach((i, k) => range(wide).forEach((j) => { data[i * wide + j] += a.data[k * wide + j]; }));
    return array(data, shape);
  };
  table.dot = (a, b) => array([total(a.data.map((x, i) => x * b.data[i]))]);
  table.mv = (a, b) => array(matmul(a, array(b.data, [b.shape[0], 1])).data, [a.shape[0]]);
  table.outer = (a, b) => array(a.data.flatMap((x) => b.data.map((y) => x * y)), [a.data.length, b.data.length]);
  table.mm = matmul;
  table.bmm = matmul;
  table.linear = (a, b, c) => {
    const y = matmul(a.shape.length > 1 ? a : array(a.data, [1, ...a.shape]), turned(b));
    const z = a.shape.length > 1 ? y : array(y.data, y.shape.slice(1));
    return c && c.shape ? table.add(z, c) : z;
  };
  table.mse_loss = (a, b, attrs) => reduced(table.square(table.sub(a, b)), attrs);
  table.huber_loss = (a, b, attrs) => reduced(each((x) => {
    const d = Math.abs(x);
    return d < attrs.delta ? 0.5 * d * d : attrs.delta * (d - 0.5 * attrs.delta);
  })(table.sub(a, b)), attrs);
  table.smooth_l1_loss = (a, b, attrs) => reduced(each((x) => {
    const d = Math.abs(x);
    return d < attrs.beta ? (0.5 * d * d) / attrs.beta : d - 0.5 * attrs.beta;
  })(table.sub(a, b)), attrs);
  table.binary_cross_entropy = (a, b, attrs) => reduced(
    pair((x, t) => (t - 1) * Math.max(Math.log1p(-x), -100) - t * Math.max(Math.log(x), -100))(a, b), attrs);
  table.odds_error = pair((a, b) => (a - b) / Math.max(a * (1 - a), 1e-12));
  table.binary_cross_entropy_with_logits = (a, b, attrs) => reduced(pair((x, t) => softplus(x) - x * t)(a, b), attrs);
  table.sigmoid_error = pair(softsigmoid);
  table.pick_class = (a, b, { axis, ignore }) => {
    const at = classes(a.shape, b, axis);
    return array(at.map((i, k) => (b.data[k] === ignore ? 0 : a.data[i])), b.shape);
  };
  table.unpick_class = (a, b, attrs) => {
    const shape = [...b.shape];
    shape.splice(axisOf(attrs.axis, shape.length + 1), 0, attrs.classes);
    const data = range(count(shape)).map(() => 0), from = stretch(a, b.shape).data;
    classes(shape, b, attrs.axis).forEach((i, k) => { if (b.data[k] !== attrs.ignore) data[i] = from[k]; });
    return array(data, shape);
  };
  // Losses with weights whose sum is 1 in a mean.
  function weighed(losses, b, c, { ignore, reduction }) {
    const y = table.mul(losses, c);
    if (reduction === "none") return y;
    return array([reduction !== "mean" || b.data.some((k) => k !== ignore) ? total(y.data) : NaN]);
  }
  table.nll_loss = (a, b, c, attrs) => weighed(table.neg(table.pick_class(a, b, attrs)), b, c, attrs);
  // What else may be given (the losses, or their errors, found before) is computed again: it depends on a.
  table.cross_entropy = (a, b, ...more) => {
    const attrs = more.pop(), losses = table.neg(table.pick_class(table.log_softmax(a, attrs), b, attrs));
    return more[0] ? weighed(losses, b, more[0], attrs) : reduced(losses, attrs);
  };
  table.softmax_error = (a, b, ...more) => {
    const { axis, ignore } = more.pop(), at = axisOf(axis, a.shape.length), counts = each((k) => (k === ignore ? 0 : 1))(b);
    const chosen = table.unpick_class(counts, b, { axis: at, ignore, classes: a.shape[at] });
    return table.mul(table.sub(table.softmax(a, { axis: at }), chosen), table.unsqueeze(counts, { axis: at }));
  };

  // An attribute of an op, as it was before it became JSON.
  function plain(x) {
    if (typeof x === "string") return x in special ? special[x] : x;
    if (Array.isArray(x)) return x.map(plain);
    if (x === null || typeof x !== "object") return x;
    if ("array" in x) return typeof x.array === "number" ? x.array : fail("an array");
    if ("ellipsis" in x) return "...";
    if ("slice" in x) return { slice: x.slice.map(plain) };
    return x.dtype ?? x.text ?? (x.map ? attributes(x.map) : fail("an attribute"));
  }
  const attributes = (x = {}) => Object.fromEntries(Object.entries(x).map(([key, value]) => [key, plain(value)]));

  const special = { nan: NaN, inf: Infinity, "-inf": -Infinity };
  const real = (x) => (typeof x === "string" ? special[x] : Number(x));
  const flat = (x) => (Array.isArray(x) ? x.flatMap(flat) : [real(x)]);
  const shapeOf = (x) => (Array.isArray(x) ? [x.length, ...(x.length ? shapeOf(x[0]) : [])] : []);

  const apply = (op, args, attrs) => (Object.hasOwn(table, op) ? table[op](...args, attributes(attrs)) : fail(`no ${op}`));

  // The value of an expression, its names being those of `known`.
  function evaluate(x, known) {
    if (x === null || x === undefined) return null;
    if (typeof x !== "object") return array([real(x)]);
    if ("name" in x) return known(x.name);
    if ("array" in x) return array(flat(x.array), x.shape ?? shapeOf(x.array));
    return apply(x.op, x.args.map((a) => evaluate(a, known)), x.attrs);
  }

  // The names of all ops in an expression that the table lacks.
  function unknown(x) {
    if (x === null || typeof x !== "object") return [];
    if (Array.isArray(x)) return x.flatMap(unknown);
    return [...("op" in x && !Object.hasOwn(table, x.op) ? [x.op ?? "?"] : []), ...(x.args ?? []).flatMap(unknown)];
  }

  return { apply, array, evaluate, unknown, real, table };
})();
