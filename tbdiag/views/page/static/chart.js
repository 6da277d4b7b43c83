// One chart: the picture that stands in the page, brought to life when it comes into view.

import uPlot from './vendor/uPlot.esm.js';
import {color} from './theme.js';
import * as format from './format.js';
import {around, bandAt, drawBands, drawCrosses, drawLabels, laidOut, powers} from './marks.js';

const HEIGHT = 214;
const FEW = 12; // points of a curve up to which each is a dot

export class Chart {
  constructor(figure) {
    this.figure = figure;
    this.host = figure.querySelector('.plot');
    this.told = JSON.parse(figure.querySelector('script').textContent);
    this.lines = this.told.lines.map((line) => ({...line, x: summed(line.x)}));
    this.spans = this.told.bands.map((band) => ({...band, span: band.x}));
    this.crosses = [...new Set(this.lines.flatMap((line) => line.bad.map(([place]) => place)))].sort((a, b) => a - b);
    this.log = this.told.log;
    const ends = this.lines.flatMap(({x}) => [x[0], x[x.length - 1]]);
    this.whole = [Math.min(...ends), Math.max(...ends)];
    this.zoomed = null;
    this.values = [...figure.querySelectorAll('.legend .value')];
    this.at = figure.querySelector('.legend .at');
    this.logButton = button('log', 'Logarithmic y axis', () => {
      this.log = !this.log;
      this.draw();
    });
    this.resetButton = button('whole curve', 'Show the whole curve', () => this.zoom(null));
    figure.querySelector('.tools').append(this.resetButton, this.logButton);
    this.logButton.hidden = !this.lines.some((line) => line.y.some((value) => value > 0));
    this.host.tabIndex = 0;
    this.host.addEventListener('keydown', (event) => this.key(event));
    this.host.addEventListener('dblclick', () => this.zoom(null));
    this.sized = new ResizeObserver(() => {
      const width = this.host.clientWidth;
      if (this.plot && width && width !== this.plot.width) this.plot.setSize({width, height: HEIGHT});
    });
    this.draw();
    this.sized.observe(this.host);
  }

  // Shows x from first to last, or all of it.
  zoom(range) {
    this.zoomed = range;
    this.draw();
  }

  // Zooms to the place of a finding, where it has one here.
  show(finding) {
    const spans = this.spans.filter((each) => each.finding === finding);
    if (!spans.length) return;
    this.zoom(around([Math.min(...spans.map((each) => each.x[0])), Math.max(...spans.map((each) => each.x[1]))], this.whole));
  }

  key(event) {
    const [low, high] = this.zoomed ?? this.whole;
    const size = high - low;
    const to = {
      Escape: () => this.zoomed && null,
      '+': () => [low + size / 4, high - size / 4],
      '-': () => (this.zoomed ? this.within(low - size / 2, high + size / 2) : undefined),
      ArrowLeft: () => (this.zoomed ? this.within(low - size / 4, high - size / 4) : undefined),
      ArrowRight: () => (this.zoomed ? this.within(low + size / 4, high + size / 4) : undefined),
    }[event.key]?.();
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.zoom(to);
  }

  within(low, high) {
    const [first, last] = this.whole;
    if (high - low >= last - first) return null;
    const shift = Math.max(first - low, 0) + Math.min(last - high, 0);
    return [low + shift, high + shift];
  }

  draw() {
    this.plot?.destroy();
    const {log} = this;
    this.resetButton.hidden = !this.zoomed;
    this.logButton.setAttribute('aria-pressed', String(log));
    const y = (line) => (log ? line.y.map((value) => (value !== null && value <= 0 ? null : value)) : line.y);
    const data = uPlot.join(this.lines.map((line) => [line.x, y(line)]));
    const axis = {stroke: color('dim'), grid: {stroke: color('grid'), width: 1}, ticks: {stroke: color('grid'), width: 1, size: 4}, font: '11px system-ui, sans-serif'};
    this.host.classList.add('alive');
    this.plot = new uPlot(
      {
        width: this.host.clientWidth || 400,
        height: HEIGHT,
        padding: [8, 12, 0, 0],
        legend: {show: false},
        cursor: {drag: {x: true, y: false, setScale: false}, points: {size: 6}, sync: {key: this.figure.closest('.run')?.id ?? 'page', setSeries: false}},
        select: {show: true},
        scales: {
          x: {time: false, range: () => this.zoomed ?? padded(this.whole)},
          y: log ? {distr: 3, log: 10} : {range: (plot, low, high) => (low === null ? [0, 1] : uPlot.rangeNum(low, high, {min: {pad: 0.06, soft: 0, mode: 3}, max: {pad: 0.08, soft: 0, mode: 3}}))},
        },
        axes: [
          {...axis, size: 26, gap: 3, space: 70, incrs: undefined, values: (plot, ticks) => ticks.map((each) => (Number.isInteger(each) ? format.step(each) : ''))},
          {...axis, size: format.margin, gap: 4, space: 34, ...(log ? {splits: (plot, at, low, high) => powers(low, high)} : {}), values: (plot, ticks) => format.ticks(ticks)},
        ],
        series: [
          {},
          ...this.lines.map((line) => {
            const stroke = color(`curve-${line.color % 6}`);
            return {label: line.label, stroke, width: 1.7, spanGaps: false, pxAlign: 0, points: {show: line.x.length <= FEW, size: 4, fill: stroke, stroke}};
          }),
        ],
        hooks: {
          drawClear: [(plot) => {
            this.bands = laidOut(this.spans, (x) => plot.valToPos(x, 'x'), 0, plot.bbox.width / devicePixelRatio, this.whole).map((band) => ({...band, everywhere: band.everywhere || band.folded}));
            drawBands(plot, this.bands);
          }],
          draw: [(plot) => {
            drawCrosses(plot, this.crosses);
            drawLabels(plot, this.bands);
          }],
          setSelect: [(plot) => {
            const {left, width} = plot.select;
            if (width < 5) return;
            const range = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')];
            plot.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
            this.zoom(range);
          }],
          setCursor: [(plot) => this.tell(plot)],
          ready: [(plot) => this.clickable(plot)],
        },
      },
      data,
      this.host,
    );
    this.figure.dataset.drawn = String(this.lines.reduce((sum, line) => sum + line.x.length, 0));
  }

  // A click that is no drag, on a band: zoom to it, and show its finding.
  clickable(plot) {
    let start = null;
    const band = (event) => bandAt(this.bands, event.clientX - plot.over.getBoundingClientRect().left);
    plot.over.addEventListener('mousedown', (event) => (start = event.clientX));
    plot.over.addEventListener('click', (event) => {
      const found = band(event);
      if (start === null || Math.abs(event.clientX - start) > 3 || !found) return;
      this.zoom(around(found.x, this.whole));
      this.figure.dispatchEvent(new CustomEvent('finding', {bubbles: true, detail: found.finding}));
    });
    plot.over.addEventListener('mousemove', (event) => {
      const found = band(event);
      plot.over.style.cursor = found ? 'zoom-in' : 'crosshair';
      plot.over.title = found ? `${found.code}: ${found.note || 'where it shows'}, ${format.span(found.span)}` : '';
    });
  }

  // The values under the cursor, in the legend.
  tell(plot) {
    const at = plot.cursor.idx;
    const none = at === null || at === undefined || plot.cursor.left < 0;
    const x = none ? null : plot.data[0][at];
    this.at.textContent = none ? '' : `step ${format.whole(x)}`;
    this.lines.forEach((line, number) => {
      const column = plot.data[number + 1];
      let near = none ? null : column[at];
      if (!none && near === undefined) near = lastBefore(column, at);
      const bad = !none && near === null ? line.bad.find(([place]) => place === x) : null;
      this.values[number].textContent = none ? '' : bad ? bad[1] : near === null || near === undefined ? '' : format.value(near);
    });
  }
}

function button(text, title, onclick) {
  const made = document.createElement('button');
  Object.assign(made, {type: 'button', className: 'small', textContent: text, title, onclick});
  return made;
}

function summed(steps) {
  let sum = 0;
  return steps.map((each) => (sum += each));
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
