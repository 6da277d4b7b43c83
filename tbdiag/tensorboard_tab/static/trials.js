// At the bottom: what to try next, and what was tried.

import {command} from './copying.js';
import {h, named} from './element.js';
import * as format from './format.js';
import {ask} from './server.js';

export class Trials {
  constructor(onScan) {
    this.onScan = onScan;
    this.body = h('div.body');
    this.next = h('section', null);
    this.journal = h('section', null);
    this.body.append(this.next, this.journal);
    this.element = h('details.trials', {ontoggle: () => this.element.open && this.load()}, h('summary', null, 'Next trials and journal'), this.body);
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.later);
  }

  async load() {
    clearTimeout(this.later);
    if (!this.element.open || this.gone) return;
    let told;
    try {
      told = await ask('trials');
    } catch (error) {
      this.next.replaceChildren(h('p.sentence', null, error.message));
      return;
    }
    this.next.replaceChildren(h('h2', null, 'Next trials'), ...this.proposed(told));
    this.journal.replaceChildren(h('h2', null, 'Journal'), ...tried(told.journal));
    if (told.working) this.later = setTimeout(() => this.load(), 1000);
  }

  proposed(told) {
    const {proposals} = told;
    if (told.working) return [h('p.quiet', {role: 'status'}, 'The advisor is working them out …')];
    if (!told.scanned) return [h('p.quiet', null, 'Follow-up runs are proposed after a scan. ', h('button', {type: 'button', onclick: this.onScan}, 'Scan now'))];
    if (told.problem) return [h('p.sentence', null, h('bdi', null, told.problem))];
    if (!proposals) return [];
    const {start} = proposals;
    const lead = h('p.quiet', null, 'From ', named(start.run), start.comparable > 1 ? `, the best of ${start.comparable} comparable runs` : '', start.value === null || !start.objective ? '' : ` by ${start.objective} (${format.value(start.value)})`, '.');
    const cards = proposals.proposals.map((each) => proposal(each));
    const none = cards.length ? null : h('p.quiet', null, 'No setting is left to try.');
    const byHand = proposals.advice.length ? h('div.byhand', null, h('h3', null, 'By hand'), h('ul', null, proposals.advice.slice(0, 6).map((each) => h('li', null, h('bdi', null, each))))) : null;
    const bare = cards.length && !proposals.proposals.some((each) => each.command.length);
    return [
      lead,
      none,
      h('div.proposals', null, cards),
      bare ? h('p.quiet', null, 'No training command is configured, so there is none to copy. This writes one:') : null,
      bare ? command('tbdiag init') : null,
      told.proposals.shell ? h('details', null, h('summary', null, 'All of them as a shell script'), h('pre', {tabindex: 0}, told.proposals.shell)) : null,
      byHand,
    ].filter(Boolean);
  }
}

function proposal(each) {
  const price = [each.price.epochs === null ? '' : format.count(Number(format.value(each.price.epochs)) || each.price.epochs, 'epoch'), each.price.seconds === null ? '' : `about ${format.duration(each.price.seconds)}`].filter(Boolean).join(', ');
  return h(
    'article.proposal',
    null,
    h('header', null, h('b', null, each.id), h('span.tag', null, each.expects.length ? `should clear ${each.expects.join(', ')}` : each.origin), h('span.quiet', null, price)),
    h('p.turns', null, each.turns.map((turn) => h('code', null, h('bdi', null, `${turn.name} ${format.value(turn.before)} → ${format.value(turn.after)}`)))),
    h('p', null, h('bdi', null, each.why)),
    each.command.length ? command(format.shellWords(each.command)) : null,
  );
}

function tried(journal) {
  if (!journal) return [h('p.quiet', null, 'No follow-up run was tried here. ', h('code', null, 'tbdiag suggest --retrain'), ' launches them, and checks by the same rules whether they helped.')];
  if (!journal.followups.length) return [h('p.quiet', null, 'The journal holds no follow-up run yet.')];
  const head = ['Follow-up', 'Change', 'State', 'Verdict', 'Objective', 'Findings', 'Why'];
  return [
    h('div.scroller', null, h('table.journal', {'aria-label': 'Follow-up runs that were tried'}, h('thead', null, h('tr', null, head.map((each) => h('th', {scope: 'col'}, each)))), h('tbody', null, journal.followups.map(followup)))),
    ...journal.unread.map((each) => h('p.quiet', null, h('bdi', null, String(each)))),
  ];
}

function followup(each) {
  const {trial, verdict} = each;
  const codes = (label, list) => (list.length ? h('div', null, h('span.quiet', null, label), ` ${list.join(', ')}`) : null);
  const objective = verdict && verdict.after !== null ? [`${format.value(verdict.before)} → ${format.value(verdict.after)}`, verdict.noise === null ? '' : h('span.quiet', null, ` noise ${format.value(verdict.noise)}`)] : trial ? format.value(trial.objective) : '–';
  return h(
    'tr',
    null,
    h('th', {scope: 'row'}, each.id, h('div.quiet', null, 'from ', named(each.parent))),
    h('td', null, each.changes.map((turn) => h('code', null, h('bdi', null, `${turn.name} ${format.value(turn.before)} → ${format.value(turn.after)}`)))),
    h('td', null, trial ? trial.state : 'proposed', trial?.reason ? h('div.quiet', null, h('bdi', null, trial.reason)) : null),
    h('td', null, verdict ? h('span.verdict', {dataset: {decision: verdict.decision}}, verdict.decision) : '–'),
    h('td', null, objective),
    h('td', null, verdict ? [codes('cleared', verdict.cleared), codes('still', verdict.persisting), codes('new', verdict.introduced)] : each.expects.length ? codes('should clear', each.expects) : null),
    h('td.why', null, h('bdi', null, verdict?.reason ?? each.why)),
  );
}
