// One run: what is wrong with it, and its charts with the places marked.

import {Chart} from './chart.js';
import {coverageOfRun} from './coverage.js';
import {h, icon, named} from './element.js';
import {findingCards} from './findings.js';
import * as format from './format.js';
import {ask} from './server.js';

const FIRST = 12; // charts that are there without asking
const COLORS = ['curve-0', 'curve-1', 'curve-2'];

export class RunView {
  constructor(view, settings, rules, onView) {
    this.view = view;
    this.settings = settings;
    this.rules = rules;
    this.onView = onView;
    this.charts = [];
    this.element = h('section.one', {'aria-label': `Run ${view.run}`});
  }

  destroy() {
    this.gone = true;
    for (const chart of this.charts) chart.destroy();
  }

  async load() {
    try {
      this.told = await ask('run', {run: this.view.run});
    } catch (error) {
      this.element.replaceChildren(h('div.empty', null, h('h1', null, 'This run cannot be shown'), h('p.sentence', null, h('bdi', null, error.message)), h('button', {type: 'button', onclick: () => this.onView({kind: 'all'})}, 'All runs')));
      return;
    }
    if (this.gone) return;
    this.build();
    if (this.view.finding) this.reveal(this.view.finding);
  }

  build() {
    const {entry, charts, problem, ghost} = this.told;
    for (const chart of this.charts) chart.destroy();
    this.charts = [];
    this.grid = h('div.charts');
    this.more = h('button.more', {type: 'button', onclick: () => this.add(charts, ghost, charts.length)});
    this.element.replaceChildren(
      this.heading(entry, ghost),
      entry.findings.length ? findingCards(entry, this.rules, (number, tag) => this.show(number, tag)) : healthy(entry),
      coverageOfRun(entry, this.rules, !entry.findings.length),
      h('h2', null, 'Curves', ghost ? h('span.quiet', null, 'dashed: ', named(ghost.run), `, the best comparable run by ${ghost.objective} (${format.value(ghost.value)})`) : null),
      problem ? h('p.sentence', {role: 'alert'}, h('bdi', null, problem)) : this.grid,
      this.more,
    );
    if (!problem && !charts.length) this.grid.append(h('p.quiet', null, 'The run logged no curves.'));
    this.add(charts, ghost, FIRST);
  }

  heading(entry, ghost) {
    const {provenance: from} = entry;
    const worst = ['error', 'warning', 'note'].find((each) => entry.findings.some((finding) => finding.severity === each && finding.suppressed_by === null));
    const facts = [format.count(from.points, 'point'), from.restarts ? format.count(from.restarts, 'restart') : '', from.corrupt_bytes ? `${format.bytes(from.corrupt_bytes)} damaged` : '', from.truncated ? 'its last record is torn' : ''];
    const settings = Object.entries(entry.hparams);
    const picked = this.settings.picked.includes(entry.run);
    return h(
      'header.heading',
      null,
      h('div.line', null, h('button.back', {type: 'button', title: 'All runs', 'aria-label': 'Back to all runs', onclick: () => this.onView({kind: 'all'})}, '‹'), icon(worst ?? 'ok'), h('h1', null, named(entry.run)), ghost ? h('button', {type: 'button', onclick: () => this.onView({kind: 'compare', runs: [entry.run, ghost.run]})}, 'Compare with the best') : null, picked ? null : h('button', {type: 'button', onclick: (event) => {
        this.settings.togglePicked(entry.run);
        event.target.disabled = true;
      }}, 'Add to comparison')),
      h('p.quiet.facts', null, facts.filter(Boolean).join(' · '), entry.path.endsWith(entry.run) ? null : [' · ', named(entry.path)]),
      settings.length
        ? h('details.settings', null, h('summary', null, format.count(settings.length, 'hyperparameter'), ' ', h('span.preview', null, settings.slice(0, 8).map(([key, value]) => h('span.pair', null, named(key), ' ', h('b', null, h('bdi', null, format.value(value))))))), h('dl', null, settings.map(([key, value]) => h('div', null, h('dt', null, named(key)), h('dd', null, h('bdi', null, format.value(value)))))))
        : null,
    );
  }

  add(charts, ghost, upTo) {
    for (const told of charts.slice(this.charts.length, upTo)) {
      const tags = told.curves.map((curve) => curve.tag);
      const histogram = told.curves[0].kind === 'histogram';
      const parts = histogram ? [{run: this.view.run, tags}] : told.curves.map((curve, at) => ({run: this.view.run, tags: [curve.tag], color: COLORS[at % 3], label: curve.tag}));
      if (ghost && !histogram) parts.push(...told.curves.map((curve, at) => ({run: ghost.run, tags: [curve.tag], color: COLORS[at % 3], label: `${curve.tag}, best run`, faint: true})));
      const chart = new Chart({title: histogram ? `${told.title}: spread of its values` : told.title, parts: merged(parts), ...told}, this.settings, {onFinding: (number) => this.flash(number), sync: 'run'});
      this.charts.push(chart);
      this.grid.append(chart.element);
    }
    this.more.hidden = this.charts.length >= charts.length;
    this.more.textContent = `Show all ${format.whole(charts.length)} charts`;
  }

  // Scrolls to the chart of a finding and zooms to its place.
  async show(number, tag) {
    const {charts, ghost} = this.told;
    let at = charts.findIndex((each) => each.findings.includes(number) && each.curves.some((curve) => curve.tag === tag));
    if (at < 0) at = charts.findIndex((each) => each.curves.some((curve) => curve.tag === tag));
    if (at < 0) return;
    if (at >= this.charts.length) this.add(charts, ghost, charts.length);
    const chart = this.charts[at];
    chart.element.scrollIntoView({block: 'center', behavior: calm()});
    chart.element.classList.add('flash');
    setTimeout(() => chart.element.classList.remove('flash'), 1600);
    await chart.show(number);
    chart.plotHost.focus({preventScroll: true});
  }

  // Scrolls to the card of a rule, opening what it is folded into.
  reveal(code) {
    const found = [...this.element.querySelectorAll('.finding')].find((each) => each.dataset.code === code);
    if (found) this.open(found);
  }

  flash(number) {
    const found = this.element.querySelector(`#finding-${number}`);
    if (found) this.open(found, false);
  }

  open(card, scroll = true) {
    for (let up = card.parentElement; up && up !== this.element; up = up.parentElement) if (up.tagName === 'DETAILS') up.open = true;
    if (scroll) card.scrollIntoView({block: 'center'});
    card.classList.add('flash');
    setTimeout(() => card.classList.remove('flash'), 1600);
    if (scroll) card.focus({preventScroll: true});
  }
}

// Parts of one run whose curves are asked for together keep one answer: spans come with the first.
function merged(parts) {
  const own = parts.filter((part) => !part.faint);
  const ghosts = parts.filter((part) => part.faint);
  const join = (group) => (group.length ? [{...group[0], tags: group.flatMap((part) => part.tags), colors: group.map((part) => part.color), labels: group.map((part) => part.label)}] : []);
  return [...join(own), ...join(ghosts)];
}

function healthy(entry) {
  const kinds = Object.values(entry.outcomes);
  const passed = kinds.filter((kind) => kind === 'passed').length;
  return h('div.healthy', null, icon('ok'), h('p', null, h('b', null, 'No findings. '), `${format.count(passed, 'rule')} looked at this run and found nothing; ${kinds.filter((kind) => kind === 'not-applicable').length} could not tell, for the reasons below.`));
}

function calm() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
}
