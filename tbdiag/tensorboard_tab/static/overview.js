// The view of all runs: what concerns them together, the matrix, which rules ran.

import {coverageOfAll} from './coverage.js';
import {h, icon, named} from './element.js';
import {words} from './findings.js';
import * as format from './format.js';
import {Matrix} from './matrix.js';

export class Overview {
  constructor(settings, rules, onView, state) {
    this.state = state;
    this.rules = rules;
    this.onView = onView;
    this.matrix = new Matrix(settings, rules, onView);
    this.element = h('section.overview', {'aria-label': 'All runs'});
  }

  destroy() {
    this.matrix.destroy();
  }

  async load() {
    const {diagnosis} = this.state;
    const {summary} = diagnosis;
    const quiet = !summary.errors && !summary.warnings && !summary.notes;
    this.element.replaceChildren(
      h('header.heading', null, h('div.line', null, h('h1', null, 'All runs'), h('span.quiet', null, format.count(summary.runs, 'run')))),
      ...(quiet ? [healthy(summary, diagnosis.outcomes)] : []),
      ...diagnosis.search.findings.map((finding) => this.together(finding)),
      this.matrix.element,
      h('div.reports', null, Object.keys(diagnosis.outcomes).length ? coverageOfAll(diagnosis.outcomes, this.rules) : null, unread(diagnosis.unread)),
    );
    this.element.querySelector('.coverage')?.toggleAttribute('open', quiet);
    await this.matrix.load();
  }

  // A finding about several runs: its evidence names them.
  together(finding) {
    const runs = [...new Set(finding.evidence.map((each) => each.run).filter(Boolean))];
    const severity = ['error', 'warning', 'note'].includes(finding.severity) ? finding.severity : 'note';
    return h(
      `article.together.${severity}`,
      {dataset: {code: finding.code}},
      icon(severity),
      h('div', null, h('p', null, h('span.code', {title: this.rules[finding.code]?.summary ?? ''}, finding.code), h('b', null, words(finding.name)), ' ', h('bdi', null, finding.message)), finding.remedies[0] ? h('p.quiet', null, 'Next step: ', h('bdi', null, finding.remedies[0].title)) : null),
      runs.length > 1 ? h('button', {type: 'button', onclick: () => this.onView({kind: 'compare', runs: runs.slice(0, 5)})}, `Compare ${Math.min(runs.length, 5)} runs`) : null,
    );
  }
}

function healthy(summary, outcomes) {
  const codes = Object.values(outcomes);
  const looked = codes.filter((each) => each.passed || each.fired).length;
  return h('div.healthy', null, icon('ok'), h('p', null, h('b', null, 'No findings. '), `${format.count(looked, 'rule')} looked at ${format.count(summary.runs, 'run')} and found nothing; ${codes.length - looked} could not tell for any. Below is which.`));
}

function unread(paths) {
  if (!paths.length) return null;
  return h('details.coverage', null, h('summary', null, `${format.count(paths.length, 'path')} could not be examined`), h('ul.reasons', null, paths.map((each) => h('li', null, named(each.path), ': ', h('bdi', null, each.reason)))));
}
