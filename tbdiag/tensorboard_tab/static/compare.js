// Two to five runs laid over each other, with what differs in their settings.

import {Chart} from './chart.js';
import {h, icon, named} from './element.js';
import * as format from './format.js';
import {ask} from './server.js';

const FIRST = 8;

export class CompareView {
  constructor(view, settings, rules, onView) {
    this.view = view;
    this.settings = settings;
    this.rules = rules;
    this.onView = onView;
    this.charts = [];
    this.element = h('section.comparison', {'aria-label': 'Runs laid over each other'});
  }

  destroy() {
    this.gone = true;
    for (const chart of this.charts) chart.destroy();
  }

  async load() {
    let told;
    try {
      told = await ask('compare', {run: this.view.runs});
    } catch (error) {
      this.element.replaceChildren(h('div.empty', null, h('h1', null, 'These runs cannot be compared'), h('p.sentence', null, h('bdi', null, error.message)), h('button', {type: 'button', onclick: () => this.onView({kind: 'all'})}, 'All runs')));
      return;
    }
    if (this.gone) return;
    for (const chart of this.charts) chart.destroy();
    this.charts = [];
    this.grid = h('div.charts');
    this.more = h('button.more', {type: 'button', onclick: () => this.add(told, told.charts.length)});
    this.element.replaceChildren(
      h('header.heading', null, h('div.line', null, h('button.back', {type: 'button', title: 'All runs', 'aria-label': 'Back to all runs', onclick: () => this.onView({kind: 'all'})}, '‹'), h('h1', null, `${told.runs.length} runs side by side`))),
      this.table(told),
      h('h2', null, 'Curves'),
      told.charts.length ? this.grid : h('p.quiet', null, 'These runs logged no curves.'),
      this.more,
    );
    this.add(told, FIRST);
  }

  table(told) {
    const head = h('tr', null, h('td'), told.runs.map((each, at) => h('th', {scope: 'col'}, swatch(at), h('button.link', {type: 'button', onclick: () => this.onView({kind: 'run', run: each.run})}, named(each.run)))));
    const findings = h('tr.what', null, h('th', {scope: 'row'}, 'Findings'), told.runs.map((each) => h('td', null, this.findings(each))));
    const rows = told.settings.map((key) => {
      const first = JSON.stringify(told.runs[0].hparams[key] ?? null);
      return h('tr', null, h('th', {scope: 'row'}, named(key)), told.runs.map((each) => {
        const value = each.hparams[key];
        return h(JSON.stringify(value ?? null) === first ? 'td' : 'td.differs', null, h('bdi', null, value === null || value === undefined ? '–' : format.value(value)));
      }));
    });
    const note = told.settings.length ? `${format.count(told.settings.length, 'setting')} differ, ${told.alike} are alike. Marked is what differs from the first run.` : told.alike ? 'The runs have the same settings.' : 'No settings are known of these runs.';
    return h('div.difference', null, h('div.scroller', null, h('table', {'aria-label': 'Settings that differ'}, h('thead', null, head), h('tbody', null, findings, rows))), h('p.quiet', null, note));
  }

  findings(each) {
    const roots = each.findings.filter((finding) => finding.suppressed_by === null);
    if (!roots.length) return h('span.fine', null, icon('ok'), 'none');
    return roots.map((finding) => h(`button.cell.${['error', 'warning', 'note'].includes(finding.severity) ? finding.severity : 'note'}`, {type: 'button', title: `${finding.name}: ${finding.message.slice(0, 500)}`, onclick: () => this.onView({kind: 'run', run: each.run, finding: finding.code})}, finding.code));
  }

  add(told, upTo) {
    for (const each of told.charts.slice(this.charts.length, upTo)) {
      const parts = told.runs.map((run, at) => ({run: run.run, tags: [each.tags[run.run]], color: `curve-${at}`, label: run.run})).filter((part) => part.tags[0] !== undefined);
      const chart = new Chart({title: each.title, parts, bands: false}, this.settings, {sync: 'compare'});
      this.charts.push(chart);
      this.grid.append(chart.element);
    }
    this.more.hidden = this.charts.length >= told.charts.length;
    this.more.textContent = `Show all ${format.whole(told.charts.length)} charts`;
  }
}

function swatch(at) {
  const made = h('i.swatch');
  made.style.setProperty('--swatch', `var(--curve-${at})`);
  return made;
}
