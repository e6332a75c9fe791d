"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { strata, variables, targets, thresholds, words } = data;
  const K = variables.length, H = strata.length;
  const at = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat(data.locale, { maximumFractionDigits: 0 });
  const two = new Intl.NumberFormat(data.locale, { maximumFractionDigits: 2, minimumFractionDigits: 2 });
  const percent = new Intl.NumberFormat(data.locale,
    { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat(data.locale, { style: "percent", maximumFractionDigits: 0 });
  const money = (value) => `${data.currency} ${number.format(value)}`;
  const say = (text, values) => Object.entries(values || {}).reduce(
    (said, [name, value]) => said.replace(`{${name}}`, value), words[text] || text);

  // The parabola through three prevalences.
  const bent = (f) => {
    const x = data.prevalences;
    return x.map((a, i) => x.reduce((p, b, j) => (i === j ? p : (p * (f - b)) / (a - b)), 1));
  };

  // Strata in a world: sizes, costs, cases and variances of each size.
  const world = (f, response) => {
    const w = bent(f), silent = (1 - response) / response;
    const mix = (take) => w.reduce((sum, c, i) => sum + c * take(i), 0);
    return strata.map((s) => ({
      n: s.n,
      cost: s.n.map((_, j) => mix((i) => s.worlds[i].cost[j])),
      total: variables.map((_, k) => mix((i) => s.worlds[i].total[k])),
      cases: variables.map((_, k) => s.n.map((_, j) => response * mix((i) => s.worlds[i].cases[k][j]))),
      variance: variables.map((_, k) => s.n.map((_, j) => Math.max(0,
        mix((i) => s.worlds[i].sure[k][j] + silent * s.worlds[i].silent[k][j])))),
      dwellings: s.dwellings,
      least: Math.min(data.minimum, s.size),
      size: s.size,
    }));
  };
  const cell = (s, n) => {
    let j = 0;
    while (j < s.n.length - 2 && s.n[j + 1] <= n) j += 1;
    return j;
  };
  const line = (s, values, n) => {
    const j = cell(s, n), width = s.n[j + 1] - s.n[j];
    return width > 0 ? values[j] + ((values[j + 1] - values[j]) * (n - s.n[j])) / width : values[j];
  };
  // a / n - b between neighbors.
  const spread = (s, k, n) => {
    const v = s.variance[k], j = cell(s, n), width = 1 / s.n[j] - 1 / s.n[j + 1];
    return width > 0 ? v[j + 1] + ((v[j] - v[j + 1]) * (1 / n - 1 / s.n[j + 1])) / width : v[j];
  };

  const inside = (h, goal) => goal.domain === "all" || strata[h].domains[goal.domain] === goal.value;
  const place = variables.reduce((found, v, k) => ({ ...found, [v.name]: k }), {});
  const members = targets.map((goal) => [...Array(H).keys()].filter((h) => inside(h, goal)));

  const totals = (now) => targets.map((goal, t) =>
    members[t].reduce((sum, h) => sum + now[h].total[place[goal.variable]], 0));
  const variances = (now, n) => targets.map((goal, t) =>
    members[t].reduce((sum, h) => sum + spread(now[h], place[goal.variable], n[h]), 0));
  const priceOf = (now, n) => n.reduce((sum, m, h) => sum + line(now[h], now[h].cost, m), 0);

  // The cheapest n of one stratum for the worth of each variable's variance.
  const cheapest = (s, worth) => {
    let best = s.least, least = Infinity;
    const value = (n) => line(s, s.cost, n) + worth.reduce((sum, w, k) => sum + (w ? w * spread(s, k, n) : 0), 0);
    for (let j = 0; j < s.n.length - 1; j += 1) {
      const low = Math.max(s.n[j], s.least), high = s.n[j + 1];
      if (high < low || s.n[j + 1] <= s.n[j]) continue;
      const rise = (s.cost[j + 1] - s.cost[j]) / (s.n[j + 1] - s.n[j]);
      const width = 1 / s.n[j] - 1 / s.n[j + 1];
      const a = worth.reduce((sum, w, k) => sum + w * (s.variance[k][j] - s.variance[k][j + 1]) / width, 0);
      const n = Math.min(Math.max(Math.sqrt(Math.max(a, 0) / Math.max(rise, 1e-9)), low), high);
      const now = value(n);
      if (now < least) { least = now; best = n; }
    }
    return best;
  };

  // Multipliers of the targets, raised where a target is missed (Chromy 1987).
  const solve = (now, limits, start) => {
    let m = start ? start.slice() : limits.map(() => 1e6), n = [];
    for (let round = 0; round < (start ? 60 : 400); round += 1) {
      n = now.map((s, h) => cheapest(s, variables.map((v, k) => targets.reduce((sum, goal, t) =>
        sum + (goal.variable === v.name && inside(h, goal) ? m[t] / limits[t] : 0), 0))));
      const used = variances(now, n);
      m = m.map((value, t) => Math.min(Math.max(value * (used[t] / limits[t]) ** 0.8, 1e-6), 1e13));
    }
    return { n, m };
  };

  // Whole numbers: down, then one by one where they help the worst target most, while money is left.
  // Without a budget they stop when all targets are met.
  const rounded = (now, exact, sums, budget = Infinity) => {
    const n = exact.map((m, h) => Math.max(Math.floor(m + 1e-6), Math.ceil(now[h].least)));
    const limits = sums.map((total, t) => (state.targets[t] * total) ** 2);
    for (let round = 0; round < 4 * H; round += 1) {
      const used = variances(now, n), left = budget - priceOf(now, n);
      const order = used.map((v, t) => [v / limits[t], t]).sort((a, b) => b[0] - a[0]);
      let best = -1, merit = 0;
      if (budget === Infinity && order[0][0] <= 1) return n;
      const worst = order[0][1], k = place[targets[worst].variable];
      members[worst].forEach((h) => {
        if (n[h] + 1 > now[h].size) return;
        const price = line(now[h], now[h].cost, n[h] + 1) - line(now[h], now[h].cost, n[h]);
        const gain = (spread(now[h], k, n[h]) - spread(now[h], k, n[h] + 1)) / price;
        if (price <= left && gain > merit) { merit = gain; best = h; }
      });
      if (best < 0) return n;
      n[best] += 1;
    }
    return n;
  };

  const state = { budget: data.budget, response: data.response, prevalence: 1, targets: targets.map((t) => t.target) };

  const needed = (now, sums) => {
    const limits = sums.map((total, t) => (state.targets[t] * total) ** 2);
    const floor = variances(now, now.map((s) => s.size));
    const lost = targets.findIndex((_, t) => floor[t] >= limits[t]);
    if (lost >= 0) return { lost, best: Math.sqrt(floor[lost]) / sums[lost] };
    const found = solve(now, limits);
    let n = rounded(now, found.n, sums);
    const meets = variances(now, data.plan).every((v, t) => v <= limits[t] * 1.0001);
    if (meets && priceOf(now, data.plan) < priceOf(now, n)) n = data.plan;
    const used = variances(now, n);
    return { n, m: found.m, cost: priceOf(now, n), worst: Math.sqrt(Math.max(...used.map((v, t) => v / limits[t]))) };
  };

  // All CVs as multiples of what is allowed, as small as the money pays for.
  const bought = (now, sums, budget) => {
    const least = now.map((s) => s.least);
    if (priceOf(now, least) >= budget) return { n: least, poor: priceOf(now, least) };
    let low = 0.02, high = 50, kept = null, start = null;
    for (let step = 0; step < 26; step += 1) {
      const middle = Math.sqrt(low * high);
      const limits = sums.map((total, t) => (middle * state.targets[t] * total) ** 2);
      const found = solve(now, limits, start);
      start = found.m;
      if (priceOf(now, found.n) <= budget) { kept = found.n; high = middle; } else { low = middle; }
    }
    return { n: kept || least };
  };

  const verdict = (cv, cases, areas) => {
    const is = (word) => cv > (thresholds.cv[word] ?? Infinity) || cases < (thresholds.cases[word] ?? 0)
      || areas < (thresholds.psus[word] ?? 0);
    return is("not_publishable") ? ["not publishable", "bad"] : is("caution") ? ["use with caution", "middle"]
      : ["publishable", "good"];
  };

  const row = (parent, cells) => {
    const made = document.createElement("tr");
    cells.forEach(([text, kind], i) => {
      const one = document.createElement(i ? "td" : "th");
      if (!i) one.scope = "row";
      if (kind) one.className = kind;
      if (text instanceof Node) one.append(text); else one.textContent = text;
      made.append(one);
    });
    parent.append(made);
  };

  const show = () => {
    const now = world(state.prevalence, state.response), sums = totals(now);
    const need = needed(now, sums);
    const got = bought(now, sums, state.budget - data.overhead);
    // Where the money is enough for the targets and rounding misses one, the sample that meets them, or the plan.
    const over = (n) => variances(now, n).map((v, t) => Math.sqrt(v) / sums[t] / state.targets[t]);
    let n = rounded(now, got.n, sums, state.budget - data.overhead);
    const fits = (other) => priceOf(now, other) <= (state.budget - data.overhead) * 1.0001
      && Math.max(...over(other)) < Math.max(...over(n));
    if (Math.max(...over(n)) > 1) n = [need.n, data.plan].find((other) => other && fits(other)) || n;
    const cv = over(n).map((c, t) => c * state.targets[t]);
    const factor = Math.max(...over(n));
    const cases = targets.map((goal, t) => members[t].reduce((sum, h) =>
      sum + line(now[h], now[h].cases[place[goal.variable]], n[h]), 0));
    const areas = targets.map((_, t) => members[t].reduce((sum, h) => sum + n[h], 0));
    const met = factor <= 1.005;
    const parts = [];
    if (got.poor) parts.push(say("The budget does not pay for the least sample, which costs {cost}.", { cost: money(got.poor + data.overhead) }));
    else parts.push(say(met ? "With this budget all targets are met, with CVs at {factor} of what is allowed."
      : "With this budget CVs are {factor} times what is allowed.", { factor: met ? whole.format(factor) : two.format(factor) }));
    if (need.lost === undefined) parts.push(say("The targets need {cost}.", { cost: money(need.cost + data.overhead) }));
    else parts.push(say("No sample meets this target: {target}. The best CV there can be is {cv}.",
      { target: targets[need.lost].words, cv: percent.format(need.best) }));
    at("verdict").textContent = parts.join(" ");
    at("verdict").className = met && !got.poor ? "met" : "missed";
    at("areas").textContent = number.format(n.reduce((a, b) => a + b, 0));
    at("households").textContent = number.format(state.response * n.reduce((sum, m, h) => sum + line(now[h], now[h].dwellings, m), 0));
    at("cases").textContent = number.format(variables.reduce((all, _, k) =>
      all + n.reduce((sum, m, h) => sum + line(now[h], now[h].cases[k], m), 0), 0));
    at("field").textContent = money(priceOf(now, n));
    at("known").replaceChildren();
    targets.forEach((goal, t) => {
      const [word, kind] = verdict(cv[t], cases[t], areas[t]);
      const good = cv[t] <= state.targets[t] * 1.005;
      row(at("known"), [[goal.domain_words], [goal.variable_words], [percent.format(state.targets[t]), "n"],
        [percent.format(cv[t]), "n"], [say(good ? "met" : "missed"), good ? "good" : "bad"],
        [number.format(cases[t]), "n"], [say(word), kind]]);
    });
    at("strata").replaceChildren();
    const most = Math.max(...n);
    strata.forEach((s, h) => {
      const bar = document.createElement("span");
      bar.className = "bar";
      bar.style.width = `${(8 * n[h]) / most}rem`;
      row(at("strata"), [[s.stratum], [number.format(s.size), "n"], [number.format(n[h]), "n"], [bar]]);
    });
    at("state").textContent = JSON.stringify({ n, cv, cost: priceOf(now, n), cases, factor,
      need: need.lost === undefined ? { cost: need.cost, n: need.n, worst: need.worst } : { lost: targets[need.lost].words, best: need.best } });
    at("budget-value").textContent = money(state.budget);
    at("response-value").textContent = whole.format(state.response);
    at("prevalence-value").textContent = whole.format(state.prevalence);
    return need;
  };

  // One slider for each variable of each kind of domain.
  const groups = [];
  targets.forEach((goal, t) => {
    const key = `${goal.domain} ${goal.variable}`;
    const found = groups.find((g) => g.key === key);
    if (found) found.rows.push(t); else groups.push({ key, rows: [t], words: goal.group_words });
  });
  const set = () => {
    at("budget").value = state.budget;
    at("response").value = Math.round(state.response * 100);
    at("prevalence").value = Math.round(state.prevalence * 100);
    groups.forEach((group, g) => {
      at(`t${g}`).value = state.targets[group.rows[0]] * 100;
      at(`t${g}-value`).textContent = percent.format(state.targets[group.rows[0]]);
    });
  };
  let waiting = 0;
  const later = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(() => { set(); show(); }); };
  const start = () => {
    const budget = at("budget");
    budget.min = Math.floor(data.overhead + 0.25 * (data.budget - data.overhead));
    budget.max = Math.ceil(data.overhead + 3 * (data.budget - data.overhead));
    budget.step = Math.max(1, 10 ** Math.floor(Math.log10(data.budget) - 3));
    groups.forEach((group, g) => {
      const label = document.createElement("label"), value = document.createElement("output");
      const input = document.createElement("input");
      label.htmlFor = input.id = `t${g}`;
      value.id = `t${g}-value`;
      label.append(group.words, " ", value);
      Object.assign(input, { type: "range", min: 1, max: 50, step: 0.1 });
      input.addEventListener("input", () => {
        group.rows.forEach((t) => { state.targets[t] = input.value / 100; });
        later();
      });
      at("targets").append(label, input);
    });
    budget.addEventListener("input", () => { state.budget = Number(budget.value); later(); });
    at("response").addEventListener("input", (e) => { state.response = e.target.value / 100; later(); });
    at("prevalence").addEventListener("input", (e) => { state.prevalence = e.target.value / 100; later(); });
    at("controls").addEventListener("submit", (e) => e.preventDefault());
    at("least").addEventListener("click", () => {
      const need = show();
      if (need.cost) { state.budget = need.cost + data.overhead; set(); show(); }
    });
    at("reset").addEventListener("click", () => {
      Object.assign(state, { budget: data.budget, response: data.response, prevalence: 1, targets: targets.map((t) => t.target) });
      set(); show();
    });
    // A link may say where to begin: #budget=...&response=0.8&prevalence=0.7&t0=0.05
    new URLSearchParams(location.hash.slice(1)).forEach((value, name) => {
      const given = Number(value);
      if (!(given > 0)) return;
      if (name in state && name !== "targets") state[name] = given;
      if (/^t\d+$/.test(name)) (groups[name.slice(1)]?.rows || []).forEach((t) => { state.targets[t] = given; });
    });
    set();
    show();
  };
  start();
})();
