// The tab as a whole: which view is open, and what it shows when the diagnosis changes.

import {CompareView} from './compare.js';
import {h} from './element.js';
import {failed, notScanned, scanning, unreachable} from './empty.js';
import * as link from './link.js';
import {Overview} from './overview.js';
import {RunView} from './run.js';
import {ask, rescan} from './server.js';
import {Settings} from './settings.js';
import {Sidebar} from './sidebar.js';
import {outside} from './theme.js';
import {Topbar} from './topbar.js';
import {Trials} from './trials.js';

const SOON = 500; // ms between questions while a scan is under way
const LATER = 5000;

export class App {
  constructor(host) {
    this.settings = new Settings();
    this.view = {kind: 'all'};
    this.rules = {};
    this.topbar = new Topbar(this.settings, () => this.scan());
    this.sidebar = new Sidebar(this.settings, (view) => this.open(view));
    this.trials = new Trials(() => this.scan());
    this.banner = h('p.banner', {role: 'alert', hidden: true});
    this.content = h('div.content');
    this.main = h('main', {tabindex: -1}, this.banner, this.content, this.trials.element);
    this.root = h('div.app', null, this.topbar.element, this.sidebar.element, this.main);
    host.replaceChildren(this.root);
    document.addEventListener('keydown', (event) => this.key(event));
    document.addEventListener('visibilitychange', () => !document.hidden && this.poll());
    this.followAddress();
  }

  async start() {
    await this.poll();
  }

  // Asks how things stand, shows what changed, and asks again later.
  async poll() {
    clearTimeout(this.later);
    if (this.polling) return;
    this.polling = true;
    try {
      const state = await ask('state');
      await this.take(state);
    } catch (error) {
      if (this.state) this.say(error.message);
      else this.content.replaceChildren(unreachable(error.message, () => this.poll()));
    } finally {
      this.polling = false;
      this.later = setTimeout(() => (document.hidden ? null : this.poll()), this.state?.scanning ? SOON : LATER);
    }
  }

  async take(state) {
    const before = this.state;
    this.state = state;
    this.topbar.show(state);
    const id = state.diagnosis?.id ?? '';
    this.say(id && !state.scanning && state.error ? `The last scan failed: ${state.error}` : '');
    this.root.classList.toggle('bare', !id);
    if (!id) {
      this.shown?.destroy();
      this.shown = null;
      const key = `${state.scanning} ${state.error}`;
      if (state.scanning) this.content.replaceChildren(scanning(state));
      else if (key !== this.emptyKey) this.content.replaceChildren(state.error ? failed(state, () => this.scan()) : notScanned(state, () => this.scan()));
      this.emptyKey = key;
      return;
    }
    this.emptyKey = '';
    if (before?.diagnosis?.id === id) return;
    if (!Object.keys(this.rules).length) this.rules = await ask('rules').catch(() => ({}));
    this.topbar.names(fired(state.diagnosis, this.rules));
    this.sidebar.load();
    await this.show();
    this.trials.load();
  }

  async scan() {
    try {
      await rescan(this.state.token);
      await this.poll();
    } catch (error) {
      this.say(error.message);
    }
  }

  say(sentence) {
    if (this.banner.textContent !== sentence) this.banner.textContent = sentence;
    this.banner.hidden = !sentence;
  }

  // Opens a view, and writes its address where it can be copied.
  open(view) {
    if (view.kind === 'compare') this.settings.set('picked', {picked: view.runs});
    const again = link.same(view, this.view);
    this.view = view;
    if (!again) this.writeAddress();
    if (this.state?.diagnosis && !(again && view.kind === 'all')) {
      this.show();
      this.main.scrollTop = 0;
    }
    this.sidebar.show(view);
  }

  async show() {
    this.shown?.destroy();
    const {view, settings, rules} = this;
    const open = (next) => this.open(next);
    if (view.kind === 'run') this.shown = new RunView(view, settings, rules, open);
    else if (view.kind === 'compare') this.shown = new CompareView(view, settings, rules, open);
    else this.shown = new Overview(settings, rules, open, this.state);
    this.content.replaceChildren(this.shown.element);
    this.sidebar.show(view);
    await this.shown.load();
  }

  followAddress() {
    const frame = outside()?.defaultView;
    if (!frame) return;
    this.view = link.parse(frame.location.hash) ?? {kind: 'all'};
    if (this.view.kind === 'compare') this.settings.set('picked', {picked: this.view.runs});
    const follow = () => {
      const view = link.parse(frame.location.hash);
      // A bare "#tbdiag" is TensorBoard's own, when it comes back to this tab.
      if (view && view.kind !== 'all' && !link.same(view, this.view)) this.open(view);
    };
    frame.addEventListener('hashchange', follow);
    addEventListener('pagehide', () => frame.removeEventListener('hashchange', follow));
  }

  writeAddress() {
    const frame = outside()?.defaultView;
    if (frame && link.parse(frame.location.hash)) frame.history.replaceState(frame.history.state, '', link.format(this.view));
  }

  key(event) {
    const typing = event.target.closest?.('input[type=search], select, textarea');
    if (event.key === '/' && !typing) {
      event.preventDefault();
      this.sidebar.filter.focus();
    } else if (event.key === 'Escape' && !typing && this.view.kind !== 'all') this.open({kind: 'all'});
  }
}

function fired(diagnosis, rules) {
  return Object.keys(diagnosis.outcomes)
    .filter((code) => diagnosis.outcomes[code].fired)
    .map((code) => ({code, name: (rules[code]?.name ?? '').replaceAll('-', ' ')}));
}
