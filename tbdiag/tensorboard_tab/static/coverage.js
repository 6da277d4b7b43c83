// Which rules looked and which could not: a quiet report differs from a blind one.

import {h} from './element.js';
import * as format from './format.js';

const ORDER = ['fired', 'passed', 'not-applicable', 'ignored', 'skipped', 'crashed'];
const WORDS = {fired: 'found something', passed: 'passed', 'not-applicable': 'could not tell', ignored: 'ignored', skipped: 'skipped', crashed: 'failed'};

// For all runs: outcomes = {code: {kind: how many runs}}
export function coverageOfAll(outcomes, rules) {
  const codes = Object.keys(outcomes);
  const kinds = ORDER.filter((kind) => codes.some((code) => outcomes[code][kind]));
  const blind = codes.filter((code) => !outcomes[code].fired && !outcomes[code].passed).length;
  const rows = codes.map((code) =>
    h('tr', null, h('th', {scope: 'row'}, code), h('td', null, rules[code]?.name ?? ''), kinds.map((kind) => h('td.numeric', null, outcomes[code][kind] ? format.whole(outcomes[code][kind]) : ''))),
  );
  return h(
    'details.coverage',
    null,
    h('summary', null, `Which rules ran: ${format.count(codes.length - blind, 'rule')} looked at a run at least`, blind ? `, ${blind} could not tell for any` : ''),
    h('table', null, h('thead', null, h('tr', null, h('th', {scope: 'col'}, 'Rule'), h('th', {scope: 'col'}, 'Name'), kinds.map((kind) => h('th', {scope: 'col'}, WORDS[kind])))), h('tbody', null, rows)),
  );
}

// For one run: outcomes = {code: kind}, reasons = {code: text}
export function coverageOfRun(entry, rules, open = false) {
  const by = new Map(ORDER.map((kind) => [kind, []]));
  for (const [code, kind] of Object.entries(entry.outcomes)) by.get(kind)?.push(code);
  const told = ORDER.filter((kind) => by.get(kind).length);
  const groups = told.map((kind) =>
    h(
      'section',
      null,
      h('h3', null, `${WORDS[kind][0].toUpperCase()}${WORDS[kind].slice(1)} (${by.get(kind).length})`),
      entry.reasons && by.get(kind).some((code) => entry.reasons[code])
        ? h('ul.reasons', null, by.get(kind).map((code) => h('li', null, h('b', {title: rules[code]?.summary ?? ''}, code), ` ${rules[code]?.name ?? ''}: `, h('bdi', null, entry.reasons[code] ?? ''))))
        : h('p.codes', null, by.get(kind).map((code) => h('span.code', {title: `${rules[code]?.name ?? ''}: ${rules[code]?.summary ?? ''}`}, code))),
    ),
  );
  return h('details.coverage', {open}, h('summary', null, `${Object.keys(entry.outcomes).length} rules: ${told.map((kind) => `${by.get(kind).length} ${WORDS[kind]}`).join(', ')}`), groups);
}
