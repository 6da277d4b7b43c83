// The runs on the left: the worst first, filtered by the server, a page at a time.

import {h, icon, named} from './element.js';
import * as format from './format.js';
import {rove} from './roving.js';
import {ask} from './server.js';

const PAGE = 200;

export class Sidebar {
  constructor(settings, onView) {
    this.settings = settings;
    this.onView = onView;
    this.rows = [];
    this.filter = h('input', {type: 'search', placeholder: 'Filter runs by regex', 'aria-label': 'Filter runs by a regular expression', spellcheck: 'false', autocomplete: 'off', oninput: () => this.typed()});
    this.problem = h('p.problem', {role: 'alert', hidden: true});
    this.all = h('button.run.all', {type: 'button', onclick: () => onView({kind: 'all'})}, h('span', null, 'All runs'), (this.total = h('span.number')));
    this.list = h('ul.runs', {'aria-label': 'Runs, the worst first'});
    this.more = h('button.more', {type: 'button', hidden: true, onclick: () => this.next()}, 'Show more');
    this.compare = h('button.primary.compare', {type: 'button', disabled: true, onclick: () => onView({kind: 'compare', runs: settings.picked})}, 'Compare');
    this.hint = h('p.quiet.hint');
    this.element = h(
      'nav.sidebar',
      {'aria-label': 'Runs'},
      h('div.search', null, icon('search'), this.filter),
      this.problem,
      this.all,
      h('div.scroller', null, this.list, this.more),
      h('div.foot', null, this.hint, this.compare),
    );
    this.roving = rove(this.list, () => this.rows.map(({button, box}) => [button, box]));
    settings.addEventListener('filter', () => this.load());
    settings.addEventListener('picked', () => this.picked());
    this.picked();
    this.scrolled = new IntersectionObserver((entries) => {
      if (entries.some((each) => each.isIntersecting) && !this.more.hidden) this.next();
    });
    this.scrolled.observe(this.more);
  }

  typed() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.settings.set('filter', {pattern: this.filter.value}), 200);
  }

  async load() {
    if (this.filter.value !== this.settings.pattern) this.filter.value = this.settings.pattern;
    this.loading?.abort();
    this.loading = new AbortController();
    try {
      const page = await ask('runs', {...this.settings.query(), sort: 'worst', offset: 0, limit: PAGE}, {signal: this.loading.signal});
      this.problem.hidden = true;
      this.filter.setAttribute('aria-invalid', 'false');
      this.rows = [];
      this.list.replaceChildren();
      this.add(page);
    } catch (error) {
      if (error.name === 'AbortError') return;
      this.problem.textContent = error.message;
      this.problem.hidden = false;
      this.filter.setAttribute('aria-invalid', 'true');
    }
  }

  async next() {
    if (this.paging) return;
    this.paging = true;
    try {
      this.add(await ask('runs', {...this.settings.query(), sort: 'worst', offset: this.rows.length, limit: PAGE}));
    } catch {
      this.more.hidden = false; // the button stays, to be pressed again
    } finally {
      this.paging = false;
    }
  }

  add(page) {
    for (const row of page.rows) {
      const box = h('input', {type: 'checkbox', tabindex: -1, 'aria-label': `Compare ${row.run}`, checked: this.settings.picked.includes(row.run), onchange: () => this.settings.togglePicked(row.run)});
      const button = h('button.run', {type: 'button', tabindex: -1, dataset: {run: row.run}, onclick: () => this.onView({kind: 'run', run: row.run})}, icon(row.worst || 'ok'), named(row.run), h('span.number', null, tally(row)));
      this.rows.push({run: row.run, button, box});
      this.list.append(h('li', null, button, box));
    }
    this.matched = page.matched;
    this.total.textContent = page.matched === page.total ? format.whole(page.total) : `${format.whole(page.matched)} of ${format.whole(page.total)}`;
    this.more.hidden = this.rows.length >= page.matched;
    this.more.textContent = `Show more of ${format.whole(page.matched)}`;
    this.roving.refresh();
    this.mark();
  }

  // Which view is open.
  show(view) {
    this.view = view;
    this.mark();
  }

  mark() {
    const view = this.view ?? {kind: 'all'};
    const current = (button, is) => (is ? button.setAttribute('aria-current', 'page') : button.removeAttribute('aria-current'));
    current(this.all, view.kind === 'all');
    for (const {run, button} of this.rows) current(button, view.kind === 'run' && view.run === run);
  }

  picked() {
    const {picked} = this.settings;
    for (const {run, box} of this.rows) box.checked = picked.includes(run);
    this.compare.disabled = picked.length < 2;
    this.compare.textContent = picked.length < 2 ? 'Compare' : `Compare ${picked.length} runs`;
    this.hint.textContent = picked.length < 2 ? 'Tick 2–5 runs to lay them over each other' : '';
    this.hint.hidden = picked.length >= 2;
  }
}

function tally(row) {
  const sum = row.counts.error + row.counts.warning + row.counts.note;
  return sum ? String(sum) : '';
}
