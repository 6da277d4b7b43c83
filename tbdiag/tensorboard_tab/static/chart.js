// One chart: its curves are fetched when it comes into view, and anew for every zoom.

import uPlot from './vendor/uPlot.esm.js';
import {h, named} from './element.js';
import * as format from './format.js';
import {around, bandAt, distinct, drawBands, drawCrosses, drawLabels, laidOut, powers, wantsLog} from './marks.js';
import {ask} from './server.js';
import {color} from './theme.js';

const HEIGHT = 210;
const FEW = 12; // points of a curve up to which each is a dot

// spec: {title, parts: [{run, tags, label, color, labels, colors, faint}]}: one part for each run, with
// one label and colour for each tag or for all. Of the first part, the spans are drawn.
// `onFinding(number)` on a band's click.
export class Chart {
  constructor(spec, settings, {onFinding = () => {}, sync = null} = {}) {
    this.spec = spec;
    this.settings = settings;
    this.onFinding = onFinding;
    this.sync = sync;
    this.zoomed = null;
    this.log = null;
    this.shown = false;
    this.answers = [];
    this.bands = [];
    this.legend = h('div.legend');
    this.plotHost = h('div.plot', {tabindex: 0, role: 'img', 'aria-label': `curves of ${spec.title}`});
    this.logButton = h('button.small', {type: 'button', 'aria-pressed': 'false', title: 'Logarithmic y axis', onclick: () => this.toggleLog()}, 'log');
    this.resetButton = h('button.small', {type: 'button', hidden: true, onclick: () => this.zoom(null)}, 'whole curve');
    this.said = h('p.quiet.waiting', null, 'reading …');
    this.element = h(
      'figure.chart',
      {dataset: {title: spec.title}},
      h('figcaption', null, named(spec.title), h('span.tools', null, this.resetButton, this.logButton)),
      this.legend,
      this.plotHost,
      this.said,
    );
    this.plotHost.style.height = `${HEIGHT}px`;
    this.plotHost.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.zoomed) {
        event.stopPropagation();
        this.zoom(null);
      }
    });
    this.plotHost.addEventListener('dblclick', () => this.zoom(null));
    this.seen = new IntersectionObserver(
      (entries) => {
        if (!this.shown && entries.some((each) => each.isIntersecting)) {
          this.shown = true;
          this.load();
        }
      },
      {rootMargin: '300px'},
    );
    this.seen.observe(this.element);
    this.sized = new ResizeObserver(() => this.resize());
    this.sized.observe(this.plotHost);
    this.onCurves = () => {
      if (this.axis !== this.settings.axis) this.zoomed = null;
      if (this.shown) this.load();
    };
    this.onTheme = () => this.draw();
    settings.addEventListener('curves', this.onCurves);
    document.addEventListener('themechange', this.onTheme);
  }

  destroy() {
    this.seen.disconnect();
    this.sized.disconnect();
    this.loading?.abort();
    this.plot?.destroy();
    this.plot = null;
    this.settings.removeEventListener('curves', this.onCurves);
    document.removeEventListener('themechange', this.onTheme);
  }

  // Shows x from first to last, or all of it.
  zoom(range) {
    this.zoomed = range;
    this.resetButton.hidden = !range;
    this.shown = true;
    return this.load();
  }

  // Zooms to the place of a finding, where it has one here.
  async show(number) {
    if (!this.answers.length) {
      this.shown = true;
      await this.load();
    }
    const spans = (this.answers[0]?.spans ?? []).filter((each) => each.finding === number);
    if (!spans.length) return false;
    const first = Math.min(...spans.map((each) => each.x[0]));
    const last = Math.max(...spans.map((each) => each.x[1]));
    await this.zoom(around([first, last], this.whole ?? [first, last]));
    return true;
  }

  async load() {
    this.loading?.abort();
    const loading = (this.loading = new AbortController());
    const {axis, smoothing} = this.settings;
    const [first, last] = this.zoomed ?? [null, null];
    const columns = Math.max(Math.round((this.plotHost.clientWidth || 400) * Math.min(devicePixelRatio, 2)), 100);
    const parts = this.spec.parts.filter((part, at) => at === 0 || axis !== 'wall' || !part.faint);
    try {
      const answers = await Promise.all(
        parts.map((part) =>
          ask('curves', {run: part.run, tag: part.tags, axis, smoothing: part.faint ? 0 : smoothing, first, last, columns}, {signal: loading.signal}).catch((error) => {
            if (part.faint && error.name !== 'AbortError') return {curves: [], spans: [], start: 0, axis};
            throw error;
          }),
        ),
      );
      this.answers = answers.map((answer, at) => ({...answer, part: parts[at]}));
      this.axis = axis;
      this.draw();
    } catch (error) {
      if (error.name !== 'AbortError') this.say(error.message);
    }
  }

  toggleLog() {
    this.log = !this.isLog;
    this.draw();
  }

  get isLog() {
    return this.log ?? this.wantsLog ?? false;
  }

  say(text) {
    this.said.textContent = text;
    this.said.hidden = !text;
  }

  resize() {
    if (this.plot && this.plotHost.clientWidth) this.plot.setSize({width: this.plotHost.clientWidth, height: HEIGHT});
  }

  // All lines of the chart: their points, their look, what the legend says of them.
  lines() {
    const lines = [];
    for (const answer of this.answers) {
      answer.curves.forEach((curve, at) => {
        const {part} = answer;
        const which = part.tags.indexOf(curve.tag);
        const name = color(part.color && !part.colors ? part.color : curve.part || !part.colors?.[which] ? `curve-${at % 6}` : part.colors[which]);
        const label = curve.part || part.labels?.[which] || part.label || curve.tag;
        const few = curve.x.length <= FEW;
        const line = {curve, label, few, stroke: name, run: part.run, faint: part.faint};
        if (curve.smooth) {
          lines.push({...line, y: curve.y, alpha: 0.32, width: 1, quiet: true});
          lines.push({...line, y: curve.smooth, alpha: 1, width: 1.8, few: false, smooth: true});
        } else {
          lines.push({...line, y: curve.y, alpha: part.faint ? 0.6 : 1, width: part.faint ? 1.2 : 1.6, dash: part.faint ? [5, 4] : undefined});
        }
      });
    }
    return lines;
  }

  draw() {
    if (!this.answers.length) return;
    const lines = this.lines();
    const held = lines.filter((each) => each.curve.x.length);
    this.plot?.destroy();
    this.plot = null;
    if (!held.length) {
      this.say('there is no curve of this name in the logs');
      return;
    }
    this.wantsLog = wantsLog(held.map((each) => each.y));
    const positive = held.some((each) => each.y.some((value) => value > 0));
    const log = this.isLog && positive;
    this.logButton.setAttribute('aria-pressed', String(log));
    this.say(held.some((each) => each.y.some((value) => value !== null)) ? '' : 'no value is finite');
    const y = (each) => (log ? each.y.map((value) => (value !== null && value <= 0 ? null : value)) : each.y);
    const data = uPlot.join(held.map((each) => [each.curve.x, y(each)]));
    const own = held.filter((each) => !each.faint);
    const ends = (own.length ? own : held).map((each) => each.curve.x).flatMap((x) => [x[0], x[x.length - 1]]);
    if (!this.zoomed) this.whole = [Math.min(...ends), Math.max(...ends)];
    const spans = this.spec.bands === false ? [] : distinct(this.answers[0].spans);
    const crosses = [...new Set(this.answers.filter((each) => !each.part.faint).flatMap((each) => each.curves.flatMap((curve) => curve.nonfinite.map(([x]) => x))))].sort((a, b) => a - b);
    const cursor = {
      drag: {x: true, y: false, setScale: false},
      points: {size: 6},
      ...(this.sync && this.axis !== 'wall' ? {sync: {key: this.sync, setSeries: false}} : {}),
    };
    const axis = {stroke: color('dim'), grid: {stroke: color('grid'), width: 1}, ticks: {stroke: color('grid'), width: 1, size: 4}, font: '11px Roboto, system-ui, sans-serif'};
    this.plot = new uPlot(
      {
        width: this.plotHost.clientWidth || 400,
        height: HEIGHT,
        padding: [8, 12, 0, 0],
        legend: {show: false},
        cursor,
        select: {show: true},
        scales: {
          x: {time: this.axis === 'wall', range: () => this.zoomed ?? padded(this.whole)},
          y: log ? {distr: 3, log: 10} : {range: (plot, low, high) => (low === null ? [0, 1] : uPlot.rangeNum(low, high, {min: {pad: 0.08, soft: 0, mode: 3}, max: {pad: 0.1, soft: 0, mode: 3}}))},
        },
        axes: [
          {...axis, size: 26, gap: 3, space: 70, values: this.axis === 'step' ? (plot, ticks) => ticks.map(format.step) : this.axis === 'relative' ? (plot, ticks) => ticks.map(format.duration) : undefined},
          {...axis, size: format.margin, gap: 4, space: 34, ...(log ? {splits: (plot, at, low, high) => powers(low, high)} : {}), values: (plot, ticks) => format.ticks(ticks)},
        ],
        series: [
          {},
          ...held.map((each) => ({
            label: each.label,
            stroke: each.stroke,
            width: each.width,
            alpha: each.alpha,
            dash: each.dash,
            spanGaps: false,
            pxAlign: 0,
            points: {show: each.few && !each.faint, size: 4, fill: each.stroke, stroke: each.stroke},
          })),
        ],
        hooks: {
          drawClear: [(plot) => {
            this.bands = laidOut(spans, (x) => plot.valToPos(x, 'x'), 0, plot.bbox.width / devicePixelRatio, this.whole);
            drawBands(plot, this.bands);
          }],
          draw: [(plot) => {
            drawCrosses(plot, crosses);
            drawLabels(plot, this.bands);
          }],
          setSelect: [(plot) => {
            const {left, width} = plot.select;
            if (width < 5) return;
            const range = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
            plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
            this.zoom(range);
          }],
          setCursor: [(plot) => this.tell(plot, held)],
          ready: [(plot) => this.clickable(plot)],
        },
      },
      data,
      this.plotHost,
    );
    this.element.dataset.points = String(held.reduce((sum, each) => sum + each.curve.x.length, 0));
    this.element.dataset.bands = spans.map((each) => each.code).join(' ');
    this.element.dataset.crosses = String(crosses.length);
    this.describe(held, crosses.length);
  }

  // A click that is no drag, on a band: zoom to it, and say which finding it is.
  clickable(plot) {
    let start = null;
    plot.over.addEventListener('mousedown', (event) => (start = event.clientX));
    plot.over.addEventListener('click', (event) => {
      if (start === null || Math.abs(event.clientX - start) > 3) return;
      const band = bandAt(this.bands, event.clientX - plot.over.getBoundingClientRect().left);
      if (!band) return;
      this.zoom(around(band.x, this.whole));
      this.onFinding(band.finding);
    });
    plot.over.addEventListener('mousemove', (event) => {
      const band = bandAt(this.bands, event.clientX - plot.over.getBoundingClientRect().left);
      plot.over.style.cursor = band ? 'zoom-in' : 'crosshair';
      plot.over.title = band ? `${band.code}: ${band.note || 'where it shows'}, ${format.span(band.span)}` : '';
    });
  }

  describe(held, crosses) {
    this.values = [];
    const told = held.filter((each) => !each.quiet);
    const bad = [...new Set(told.filter((each) => !each.faint).map((each) => each.curve))].reduce((sum, curve) => sum + curve.bad, 0);
    const entries = told
      .filter((each) => !each.faint)
      .map((each) => {
        const said = h('span.value');
        this.values.push([each, said]);
        return h('span.entry', {title: format.count(each.curve.points, 'point')}, swatch(each.stroke), named(each.label), said);
      });
    this.legend.replaceChildren(
      ...entries,
      ...(told.some((each) => each.faint) ? [h('span.entry.aside', null, swatch(color('dim'), '.dashed'), 'best run')] : []),
      ...(bad ? [h('span.entry.aside.bad', {title: 'points that are NaN or infinite'}, `✕ ${format.whole(bad)} not finite`)] : []),
      h('span.at'),
    );
    this.at = this.legend.lastChild;
    this.plotHost.setAttribute('aria-label', `curves of ${this.spec.title}: ${held.map((each) => each.label).join(', ')}${crosses ? '; some values are not finite' : ''}`);
  }

  // The values under the cursor.
  tell(plot, held) {
    const at = plot.cursor.idx;
    const none = at === null || at === undefined || plot.cursor.left < 0;
    const x = none ? null : plot.data[0][at];
    this.at.textContent = none ? '' : this.axis === 'step' ? `step ${format.whole(x)}` : this.axis === 'relative' ? format.duration(x) : new Date(x * 1000).toLocaleString();
    for (const [line, said] of this.values) {
      const column = plot.data[held.indexOf(line) + 1];
      let near = none ? null : column[at];
      if (!none && near === undefined) near = lastBefore(column, at);
      const bad = !none && near === null ? line.curve.nonfinite.find(([place]) => place === x) : null;
      said.textContent = none ? '' : bad ? bad[1] : near === null || near === undefined ? '' : format.value(near);
    }
  }
}

function swatch(stroke, kind = '') {
  const made = h(`i.swatch${kind}`);
  made.style.setProperty('--swatch', stroke);
  return made;
}

function lastBefore(column, at) {
  for (let i = at; i >= 0 && i > at - 200; i--) if (column[i] !== undefined) return column[i];
  return undefined;
}

function padded([low, high]) {
  if (low === high) return [low - 1, high + 1];
  const margin = (high - low) * 0.012;
  return [low - margin, high + margin];
}
