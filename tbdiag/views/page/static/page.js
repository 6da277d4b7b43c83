// The page: charts that come to life, the filter, links to what is folded, paper.

import {Chart} from './chart.js';
import * as format from './format.js';
import {Matrix} from './matrix.js';

const FIRED = {error: 'E', warning: 'W', note: 'N'};

document.documentElement.classList.add('scripted');

// Charts

const charts = new Map();
const alive = (figure) => {
  if (!charts.has(figure)) charts.set(figure, new Chart(figure));
  return charts.get(figure);
};
const seen = new IntersectionObserver(
  (entries) => {
    for (const {isIntersecting, target} of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      alive(target);
    }
  },
  {rootMargin: '400px'},
);
for (const figure of document.querySelectorAll('.run .chart')) seen.observe(figure);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts.values()) chart.draw();
});

// A click on evidence shows its place on the curve; a click on a curve shows its finding.
document.addEventListener('click', (event) => {
  const link = event.target.closest('a.show');
  if (!link) return;
  const figure = document.getElementById(link.hash.slice(1));
  const number = Number(link.closest('.finding').id.split('-').pop());
  alive(figure).show(number);
  flash(figure);
});
document.addEventListener('finding', (event) => {
  const card = document.getElementById(`${event.target.closest('.run').id}-${event.detail}`);
  if (card) reveal(card, 'nearest');
});

function flash(element) {
  element.classList.remove('flash');
  requestAnimationFrame(() => element.classList.add('flash'));
}

// Opens what an element is folded into and shows it.
function reveal(element, block = 'start') {
  for (let up = element; up; up = up.parentElement) {
    if (up.tagName === 'DETAILS') up.open = true;
    if (up.hidden) clear();
  }
  element.scrollIntoView({block, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'});
  flash(element);
}

function followed() {
  const target = location.hash.length > 1 ? document.getElementById(location.hash.slice(1)) : null;
  if (!target) return;
  let folded = target.hidden || (target.tagName === 'DETAILS' && !target.open);
  for (let up = target.parentElement; up; up = up.parentElement) folded ||= up.hidden || (up.tagName === 'DETAILS' && !up.open);
  if (folded) reveal(target);
  else flash(target);
}
addEventListener('hashchange', followed);

// Filter

const form = document.querySelector('form.filter');
const table = document.querySelector('table.matrix');
const matrix = table ? new Matrix(table) : null;
const runs = [...document.querySelectorAll('#runs .run')];
const texts = new Map();
const textOf = (run) => {
  if (!texts.has(run)) {
    const parts = [...run.querySelectorAll(':scope > .heading, :scope > .facts, :scope > .notes, :scope > .cards, :scope > .settings')];
    texts.set(run, parts.map((each) => each.textContent).join(' ').toLowerCase());
  }
  return texts.get(run);
};

function wanted() {
  return {
    words: form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean),
    severities: [...form.querySelectorAll('.chip[aria-pressed="true"]')].map((each) => each.dataset.severity),
    rule: form.elements.rule.value,
  };
}

function filter() {
  const {words, severities, rule} = wanted();
  const column = matrix ? matrix.codes.indexOf(rule) : -1;
  const byId = new Map(runs.map((run) => [run.id, run]));
  const matches = ({name, letters, to}) => {
    if (rule && !'EWNewn'.includes(letters[column] ?? 's')) return false;
    const fine = severities.includes('ok') && !/[EWN]/.test(letters);
    const concerned = severities.some((each) => FIRED[each] && (rule ? letters[column].toUpperCase() === FIRED[each] : letters.includes(FIRED[each])));
    if (severities.length && !fine && !concerned) return false;
    const text = byId.has(to) ? textOf(byId.get(to)) : name.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const found = new Set((matrix?.rows ?? []).filter(matches));
  matrix?.filter((row) => found.has(row));
  const places = new Set([...found].map((row) => row.to));
  let shown = 0;
  for (const run of runs) {
    run.hidden = !places.has(run.id);
    shown += !run.hidden;
  }
  document.querySelector('#runs .nothing').hidden = shown > 0 || !runs.length;
  const all = matrix ? matrix.rows.length : runs.length;
  form.querySelector('output').textContent = found.size === all ? '' : `${format.whole(found.size)} of ${format.count(all, 'run')}`;
}

function clear() {
  form.reset();
  for (const each of form.querySelectorAll('.chip')) each.setAttribute('aria-pressed', 'false');
  filter();
}

if (form && matrix && matrix.rows.length > 1) {
  form.hidden = false;
  let waiting = null;
  form.elements.text.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  form.elements.rule.addEventListener('change', filter);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('reset', () => setTimeout(() => {
    for (const each of form.querySelectorAll('.chip')) each.setAttribute('aria-pressed', 'false');
    filter();
  }));
  for (const chip of form.querySelectorAll('.chip')) {
    chip.addEventListener('click', () => {
      chip.setAttribute('aria-pressed', String(chip.getAttribute('aria-pressed') !== 'true'));
      filter();
    });
  }
  addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.target.closest('input, select, textarea')) return;
    event.preventDefault();
    form.elements.text.focus();
  });
  form.elements.text.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') clear();
  });
}

// Paper: all findings and next steps unfolded, and folded again.

const unfolded = new Set();
addEventListener('beforeprint', () => {
  for (const each of document.querySelectorAll('#important details:not([open]), .steps details:not([open])')) {
    unfolded.add(each);
    each.open = true;
  }
});
addEventListener('afterprint', () => {
  for (const each of unfolded) each.open = false;
  unfolded.clear();
});

followed();
