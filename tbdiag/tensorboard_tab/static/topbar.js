// The bar on top: what was found, how old it is, and how to look at it.

import {bar} from './empty.js';
import {h, icon} from './element.js';
import * as format from './format.js';

const SEVERITIES = [['error', 'errors'], ['warning', 'warnings'], ['note', 'notes']];
const AXES = [['step', 'Step'], ['relative', 'Relative'], ['wall', 'Wall']];

export class Topbar {
  constructor(settings, onScan) {
    this.settings = settings;
    this.chips = SEVERITIES.map(([severity, key]) => {
      const number = h('b', null, '0');
      const noun = h('span', null, key);
      const button = h('button.chip', {type: 'button', dataset: {severity}, 'aria-pressed': 'false', title: `Show runs with ${key} only`, onclick: () => settings.toggleSeverity(severity)}, icon(severity), number, noun);
      return {severity, key, number, noun, button};
    });
    this.rule = h('select', {'aria-label': 'Show runs with a finding of this rule', onchange: () => settings.set('filter', {rule: this.rule.value})});
    this.axis = AXES.map(([axis, label]) =>
      h('button', {type: 'button', dataset: {axis}, 'aria-pressed': String(axis === settings.axis), onclick: () => settings.set('curves', {axis})}, label),
    );
    this.smoothing = h('input', {type: 'range', min: 0, max: 0.99, step: 0.01, value: settings.smoothing, 'aria-label': 'Smoothing of the curves; what was logged stays visible', oninput: () => this.smooth()});
    this.smoothed = h('output', null, 'off');
    this.age = h('span.age', {role: 'status'});
    this.progress = h('span.progress');
    this.scan = h('button.rescan', {type: 'button', onclick: onScan}, icon('rescan'), h('span', null, 'Rescan'));
    this.element = h(
      'header.topbar',
      null,
      h('div.group', {role: 'group', 'aria-label': 'Findings by severity'}, this.chips.map((each) => each.button)),
      h('label.field', null, h('span.caption', null, 'Rule'), this.rule),
      h('div.field', null, h('span.caption', null, 'x axis'), h('div.segments', {role: 'group', 'aria-label': 'x axis'}, this.axis)),
      h('label.field.smoothing', null, h('span.caption', null, 'Smoothing'), this.smoothing, this.smoothed),
      h('div.right', null, this.progress, this.age, this.scan),
    );
    settings.addEventListener('filter', () => this.pressed());
    settings.addEventListener('curves', () => this.pressed());
    this.names([]);
  }

  // The rules to choose from: [{code, name, runs}].
  names(rules) {
    const {rule} = this.settings;
    this.rule.replaceChildren(h('option', {value: ''}, 'all rules'), ...rules.map(({code, name}) => h('option', {value: code}, name ? `${code} ${name}` : code)));
    this.rule.value = rule;
    if (this.rule.value !== rule) this.settings.set('filter', {rule: ''});
  }

  smooth() {
    const smoothing = Number(this.smoothing.value);
    this.smoothed.textContent = smoothing ? smoothing.toFixed(2) : 'off';
    clearTimeout(this.later);
    this.later = setTimeout(() => this.settings.set('curves', {smoothing}), 120);
  }

  pressed() {
    for (const {severity, button} of this.chips) button.setAttribute('aria-pressed', String(this.settings.severities.has(severity)));
    for (const button of this.axis) button.setAttribute('aria-pressed', String(button.dataset.axis === this.settings.axis));
    this.rule.value = this.settings.rule;
  }

  show(state) {
    const {diagnosis} = state;
    for (const {severity, key, number, noun} of this.chips) {
      const many = diagnosis?.summary[key] ?? 0;
      number.textContent = format.whole(many);
      noun.textContent = many === 1 ? severity : key;
    }
    const seconds = diagnosis ? state.now - diagnosis.at : 0;
    this.age.textContent = !diagnosis ? '' : `${diagnosis.origin === 'stored' ? 'stored' : 'scanned'} ${diagnosis.at ? format.age(seconds) : 'before'}`;
    this.age.title = diagnosis?.at ? new Date(diagnosis.at * 1000).toLocaleString() : '';
    this.scan.disabled = state.scanning;
    this.scan.lastChild.textContent = state.scanning ? 'Scanning' : diagnosis ? 'Rescan' : 'Scan';
    this.scan.classList.toggle('busy', state.scanning);
    const share = state.progress?.of ? state.progress.bytes / state.progress.of : 0;
    this.progress.replaceChildren(...(state.scanning ? [bar(share)] : []));
  }
}
