// Findings as cards: what is wrong, the evidence, what to do next.

import {copyButton} from './copying.js';
import {h, icon, named} from './element.js';
import * as format from './format.js';

const LONG = 400; // characters of a message that are shown at once

// Root findings with their consequences beneath; `onShow(number, tag)` shows one on its curve.
export function findingCards(entry, rules, onShow) {
  const numbered = entry.findings.map((finding, number) => ({finding, number}));
  const roots = numbered.filter(({finding}) => finding.suppressed_by === null);
  const orphans = numbered.filter(({finding}) => finding.suppressed_by !== null && !roots.some((root) => root.finding.code === finding.suppressed_by));
  return h(
    'div.findings',
    null,
    groups([...roots, ...orphans]).map((group) => {
      const cards = group.map((each) => card(each, entry, rules, onShow));
      const caused = numbered.filter(({finding}) => finding.suppressed_by === group[0].finding.code);
      if (caused.length) {
        cards.at(-1).append(
          h('details.consequences', null, h('summary', null, `${format.count(caused.length, 'consequence')}: ${[...new Set(caused.map(({finding}) => finding.code))].join(', ')}`), caused.map((each) => card(each, entry, rules, onShow, true))),
        );
      }
      return cards;
    }),
  );
}

// Those of one rule together, in the order of the first of each.
function groups(numbered) {
  const found = new Map();
  for (const each of numbered) {
    const {code} = each.finding;
    found.set(code, [...(found.get(code) ?? []), each]);
  }
  return [...found.values()];
}

function card({finding, number}, entry, rules, onShow, small = false) {
  const {code, name, severity, confidence, message, evidence, remedies} = finding;
  const where = evidence.map((each) => evidenceLine(each, entry, () => onShow(number, each.tag)));
  const next = remedies.map((remedy) => remedyLine(remedy, entry.hparams));
  return h(
    `article.finding.${['error', 'warning', 'note'].includes(severity) ? severity : 'note'}`,
    {id: `finding-${number}`, dataset: {code, number: String(number)}, tabindex: -1, 'aria-label': `${code} ${name}`},
    h(
      'header',
      null,
      icon(['error', 'warning', 'note'].includes(severity) ? severity : 'note'),
      h('span.code', {title: rules[code]?.summary ?? ''}, code),
      h('span.name', null, words(name)),
      h('span.confidence', {title: 'How sure the rule is that this is true'}, `${confidence} confidence`),
    ),
    h('div.what', null, h('p.message', null, ...clipped(message)), where.length ? h('ul.evidence', {'aria-label': 'Evidence'}, where) : null),
    next.length ? h('div.next', null, h('h3', null, small ? 'Next' : 'Next step'), h('ol', null, next.slice(0, 3)), next.length > 3 ? h('details', null, h('summary', null, `${next.length - 3} more`), h('ol', {start: 4}, next.slice(3))) : null) : null,
  );
}

export function words(name) {
  return name.replaceAll('-', ' ');
}

function evidenceLine(evidence, entry, onShow) {
  const elsewhere = evidence.run && evidence.run !== entry.run ? [' of ', named(evidence.run)] : null;
  const button = h('button.show', {type: 'button', title: 'Show it on the curve', onclick: onShow}, h('b', null, named(evidence.tag)), elsewhere, h('span.span', null, format.span(evidence.span)));
  const measures = evidence.measures.map((each) => h('span.measure', {title: each.limit === null ? 'measured' : 'measured, and its limit'}, format.measure(each)));
  return h('li', null, button, evidence.note ? h('span.note', null, h('bdi', null, evidence.note)) : null, measures.length ? h('span.measures', null, measures) : null);
}

function remedyLine(remedy, hparams) {
  const change = format.change(remedy, hparams);
  const text = change ? `${remedy.title} (${change})` : remedy.title;
  return h(
    'li',
    null,
    h('div.remedy', null, h('span', null, h('bdi', null, remedy.title)), change ? h('code', null, change) : null, copyButton(text, 'Copy this step')),
    remedy.because ? h('p.because', null, h('bdi', null, remedy.because)) : null,
  );
}

function clipped(message) {
  if (message.length <= LONG) return [h('bdi', null, message)];
  const rest = h('bdi', {hidden: true}, message.slice(LONG));
  const more = h('button.small', {type: 'button', 'aria-expanded': 'false', onclick: () => {
    rest.hidden = !rest.hidden;
    more.textContent = rest.hidden ? 'more' : 'less';
    more.setAttribute('aria-expanded', String(!rest.hidden));
  }}, 'more');
  return [h('bdi', null, message.slice(0, LONG)), rest, ' ', more];
}
