// All runs: a matrix of runs and rules beside the settings that differ.

import {h, icon, named} from './element.js';
import {noMatch} from './empty.js';
import * as format from './format.js';
import {rove} from './roving.js';
import {ask} from './server.js';

const PAGE = 100;

export class Matrix {
  constructor(settings, rules, onView) {
    this.settings = settings;
    this.rules = rules;
    this.onView = onView;
    this.element = h('section.matrix', {'aria-label': 'Runs and rules'});
    this.scroller = h('div.scroller', {tabindex: -1});
    this.cells = [];
    this.rove = rove(this.scroller, () => this.cells);
    this.onChange = () => this.load();
    settings.addEventListener('filter', this.onChange);
    settings.addEventListener('sort', this.onChange);
  }

  destroy() {
    this.loading?.abort();
    this.settings.removeEventListener('filter', this.onChange);
    this.settings.removeEventListener('sort', this.onChange);
  }

  query(offset) {
    const {sort, descending} = this.settings;
    return {...this.settings.query(), sort, descending: descending ? '1' : '', offset, limit: PAGE};
  }

  async load() {
    this.loading?.abort();
    this.loading = new AbortController();
    try {
      this.show(await ask('runs', this.query(0), {signal: this.loading.signal}));
    } catch (error) {
      if (error.name !== 'AbortError' && !this.page) this.element.replaceChildren(h('p.sentence', null, error.message));
    }
  }

  show(page) {
    this.page = page;
    this.cells = [];
    if (!page.matched && page.total) {
      this.element.replaceChildren(noMatch(() => this.settings.clear()));
      return;
    }
    this.body = h('tbody');
    const focused = this.scroller.contains(document.activeElement) ? document.activeElement.dataset.sort : null;
    this.table = h('table', {role: 'grid', 'aria-label': 'First step of each finding, by run and rule', 'aria-rowcount': page.matched + 1}, this.head(page), this.body);
    this.more = h('button.more', {type: 'button', onclick: () => this.next()}, '');
    this.scroller.replaceChildren(this.table);
    this.aside = h('button.small', {type: 'button', hidden: true, onclick: () => this.showSettings()}, `${format.count(page.settings.length, 'setting')} that differ ›`);
    this.element.replaceChildren(this.scroller, h('div.under', null, legend(), this.aside, this.more));
    this.add(page);
    this.aside.hidden = !page.settings.length || this.scroller.scrollWidth <= this.scroller.clientWidth + 4;
    if (focused) this.scroller.querySelector(`[data-sort="${CSS.escape(focused)}"]`)?.focus();
  }

  head(page) {
    const row = [];
    const cell = (key, label, title, kind) => {
      const {sort, descending} = this.settings;
      const sorted = sort === key;
      const button = h('button', {type: 'button', tabindex: -1, dataset: {sort: key}, title, onclick: () => this.sort(key)}, label, sorted ? icon(descending ? 'down' : 'up') : null);
      row.push(button);
      return h(`th.${kind}`, {scope: 'col', 'aria-sort': sorted ? (descending ? 'descending' : 'ascending') : null}, button);
    };
    const top = [
      cell('run', 'Run', 'Sort by name', 'run'),
      cell('worst', 'Findings', 'Sort by what is worst', 'counts'),
      ...page.rules.map(({code, runs}) => cell(code, [h('span.family', null, code.slice(0, -3)), h('span', null, code.slice(-3))], `${code} ${this.rules[code]?.name ?? ''}: ${this.rules[code]?.summary ?? ''} Found in ${format.count(runs, 'run')}. Click to sort.`, 'rule')),
      ...page.settings.map((name, at) => cell(`hparam:${name}`, named(name), `Sort by ${name}`, at ? 'setting' : 'setting.first')),
    ];
    this.cells.push(row);
    return h('thead', null, h('tr', null, top));
  }

  sort(key) {
    const {sort, descending} = this.settings;
    this.settings.set('sort', {sort: key, descending: sort === key ? !descending : false});
  }

  // The settings stand to the right of the rules, often beyond the edge.
  showSettings() {
    const first = this.scroller.querySelector('th.setting');
    const names = this.scroller.querySelector('th.run');
    if (first) this.scroller.scrollTo({left: first.offsetLeft - names.offsetWidth, behavior: 'smooth'});
  }

  async next() {
    this.more.disabled = true;
    try {
      this.add(await ask('runs', this.query(this.cells.length - 1)));
    } finally {
      this.more.disabled = false;
    }
  }

  add(page) {
    for (const row of page.rows) this.body.append(this.row(row));
    const shown = this.cells.length - 1;
    this.more.hidden = shown >= page.matched;
    this.more.textContent = `Show more: ${format.whole(shown)} of ${format.count(page.matched, 'run')}`;
    this.rove.refresh();
  }

  row(row) {
    const stops = [];
    const reach = (element) => (stops.push(element), element);
    const open = (finding) => this.onView({kind: 'run', run: row.run, ...(finding ? {finding} : {})});
    const name = reach(h('button.link', {type: 'button', tabindex: -1, onclick: () => open()}, icon(row.worst || 'ok'), named(row.run)));
    stops.push(null);
    const cells = this.page.rules.map(({code}) => {
      const cell = row.cells[code];
      if (!cell) {
        stops.push(null);
        return h('td.rule');
      }
      const [step, severity, consequence] = cell;
      const label = `${code} ${this.rules[code]?.name ?? ''}: ${severity}${step === null ? '' : `, first at step ${step}`}${consequence ? ', a consequence of another finding' : ''}`;
      const button = reach(h(`button.cell.${known(severity)}`, {type: 'button', tabindex: -1, title: label, 'aria-label': `${row.run}: ${label}`, onclick: () => open(code)}, step === null ? '●' : format.step(step)));
      if (consequence) button.classList.add('consequence');
      return h('td.rule', null, button);
    });
    const settings = this.page.settings.map((key, at) => {
      const value = row.hparams[key];
      stops.push(null);
      const text = value === undefined ? '' : format.value(value);
      return h(at ? 'td.setting' : 'td.setting.first', {title: text, class: null}, typeof value === 'number' ? h('span.numeric', null, text) : h('bdi', null, text));
    });
    this.cells.push(stops);
    return h('tr', {dataset: {run: row.run}}, h('th.run', {scope: 'row'}, name), h('td.counts', null, counts(row)), cells, settings);
  }
}

function counts(row) {
  const told = ['error', 'warning', 'note'].filter((severity) => row.counts[severity]);
  return told.map((severity) => h(`span.count.${severity}`, {title: format.count(row.counts[severity], severity)}, icon(severity), String(row.counts[severity])));
}

function known(severity) {
  return ['error', 'warning', 'note'].includes(severity) ? severity : 'note';
}

function legend() {
  const sample = (kind, text) => h('span.sample', null, h(`i.cell.${kind}`, null, '95'), text);
  return h('p.legend', null, sample('error', 'error'), sample('warning', 'warning'), sample('note', 'note'), sample('note.consequence', 'consequence of another finding'), h('span.quiet', null, 'The number is the first step concerned.'));
}
