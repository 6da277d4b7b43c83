// The matrix of runs and rules: rows made when they are asked for, order, names of what is pointed at.

import * as format from './format.js';

const PAGE = 150; // rows that are made at a time
const SHORT = 32; // letters of a name that there is room for
const GLYPHS = {p: '✓', u: '–', i: '⊘', s: '·', x: '!'};
const FIRED = 'EWNewn';
const WORDS = {E: 'error', W: 'warning', N: 'note', e: 'error, a consequence', w: 'warning, a consequence', n: 'note, a consequence', p: 'passed', u: 'could not tell', i: 'ignored', s: 'skipped', x: 'the rule failed'};
const SEVERITIES = ['error', 'warning', 'note'];

export class Matrix {
  constructor(table) {
    this.table = table;
    this.body = table.tBodies[0];
    this.heads = [...table.tHead.rows[0].cells];
    this.codes = this.heads.slice(2).map((each) => each.dataset.code);
    this.titles = this.heads.slice(2).map((each) => each.title.split(':')[0]);
    this.more = document.querySelector('#matrix .more');
    this.rows = [...this.body.rows].map((element) => drawn(element));
    const later = document.getElementById('later');
    for (const [name, to, error, warning, note, letters] of later ? JSON.parse(later.textContent) : []) {
      this.rows.push({name, to: to < 0 ? '' : `r${to}`, counts: [error, warning, note], letters, element: null});
    }
    this.rows.forEach((row, place) => (row.place = place));
    this.ordered = this.rows;
    this.accepts = () => true;
    this.shown = PAGE;
    this.sorted = {key: 'worst', reverse: false};
    this.more.addEventListener('click', () => this.next());
    const scroller = table.parentElement;
    scroller.addEventListener('scroll', () => {
      if (!this.more.hidden && scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - 400) this.next();
    }, {passive: true});
    this.body.addEventListener('mouseover', (event) => this.point(event.target.closest('td, th')));
    table.addEventListener('mouseleave', () => this.point(null));
    this.body.addEventListener('click', (event) => this.open(event));
    for (const head of this.heads) this.sortable(head);
    this.show();
  }

  // Rows that a function of {name, letters, worst} accepts, of one rule or of any.
  filter(accepts) {
    this.accepts = accepts;
    this.shown = PAGE;
    this.show();
  }

  next() {
    this.shown += PAGE;
    this.show();
  }

  show() {
    const found = this.ordered.filter((row) => this.accepts(row));
    const shown = found.slice(0, this.shown);
    const elements = shown.map((row) => (row.element ??= this.made(row)));
    const there = this.body.rows;
    let same = 0;
    while (same < elements.length && there[same] === elements[same]) same++;
    while (there.length > same) this.body.lastElementChild.remove();
    this.body.append(...elements.slice(same));
    this.more.hidden = found.length <= shown.length;
    this.more.textContent = `Show more: ${format.whole(shown.length)} of ${format.count(found.length, 'run')}`;
    return found.length;
  }

  sortable(head) {
    const key = head.dataset.sort ?? head.dataset.code;
    const made = document.createElement('button');
    Object.assign(made, {type: 'button', className: 'sort', title: 'Sort by this column'});
    made.setAttribute('aria-label', `Sort by ${head.textContent.trim()}`);
    made.addEventListener('click', () => this.sort(key));
    head.append(made);
  }

  sort(key) {
    this.sorted = {key, reverse: this.sorted.key === key && !this.sorted.reverse};
    const column = this.codes.indexOf(key);
    const rank = (row) => (FIRED + 'xipus').indexOf(row.letters[column] ?? 's');
    const order = {
      name: (a, b) => a.name.localeCompare(b.name, 'en', {numeric: true}),
      worst: (a, b) => a.place - b.place,
    }[key] ?? ((a, b) => rank(a) - rank(b) || a.place - b.place);
    this.ordered = [...this.rows].sort(order);
    if (this.sorted.reverse) this.ordered.reverse();
    for (const head of this.heads) {
      const own = (head.dataset.sort ?? head.dataset.code) === key;
      if (own) head.setAttribute('aria-sort', this.sorted.reverse ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
    this.show();
  }

  made({name, to, counts, letters}) {
    const row = document.createElement('tr');
    const worst = SEVERITIES.find((each, at) => counts[at]) ?? (letters.includes('p') ? 'ok' : 'blind');
    const head = document.createElement('th');
    head.scope = 'row';
    head.className = 'name';
    const text = document.createElement('bdi');
    text.title = name;
    text.textContent = name.length > SHORT ? `${name.slice(0, SHORT / 2 - 1)}…${name.slice(-SHORT / 2)}` : name;
    const link = to ? document.createElement('a') : null;
    if (link) {
      link.href = `#${to}`;
      link.append(text);
    }
    head.append(icon(worst), link ?? text);
    const told = document.createElement('td');
    told.className = 'counts';
    counts.forEach((n, at) => {
      if (!n) return;
      const count = document.createElement('span');
      count.className = `count ${SEVERITIES[at]}`;
      count.title = format.count(n, SEVERITIES[at]);
      count.append(icon(SEVERITIES[at]), String(n));
      told.append(count);
    });
    row.append(head, told);
    for (const letter of letters) {
      const cell = row.insertCell();
      cell.className = letter;
      cell.textContent = GLYPHS[letter] ?? '';
    }
    row.dataset.worst = worst;
    if (to) row.dataset.to = to;
    return row;
  }

  // Names the rule and the answer of a cell, and marks its column.
  point(cell) {
    const at = cell && cell.tagName === 'TD' ? cell.cellIndex : -1;
    if (this.pointed !== at) {
      this.heads[this.pointed]?.classList.remove('pointed');
      if (at > 1) this.heads[at].classList.add('pointed');
      this.pointed = at;
    }
    if (at > 1 && !cell.title) cell.title = `${this.titles[at - 2]}: ${WORDS[cell.className] ?? ''}`;
  }

  // A click on a cell goes to its finding, else to its run.
  open(event) {
    const cell = event.target.closest('td');
    const to = cell?.parentElement.dataset.to;
    if (!to || event.target.closest('a')) return;
    const code = this.codes[cell.cellIndex - 2];
    const found = code && FIRED.includes(cell.className) ? [...document.querySelectorAll(`#${to} .finding`)].find((each) => each.dataset.code === code) : null;
    location.hash = found ? found.id : to;
  }
}

function drawn(element) {
  const letters = [...element.cells].slice(2).map((cell) => cell.className);
  return {name: element.querySelector('bdi').title, to: element.dataset.to ?? '', letters: letters.join(''), worst: element.dataset.worst, element};
}

function icon(kind) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  made.setAttribute('class', `icon icon-${kind}`);
  made.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#i-${kind}`);
  made.append(use);
  return made;
}
