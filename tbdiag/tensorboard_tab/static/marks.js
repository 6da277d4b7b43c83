// What is drawn over curves: bands where findings stand, crosses where a value was not finite.
// The first half is pure geometry.

import {color} from './theme.js';

const LEAST = 4; // pixels of a band that can be seen and clicked
const LANE = 15; // pixels of a label's height

// Bands with pixels: {...span, left, right}, cut off at the plot; those outside are left out.
// One that covers all of `whole` is told by its label: shading everything would show nothing.
export function laidOut(spans, toPixel, left, right, whole = null) {
  const bands = [];
  for (const each of spans) {
    let [from, to] = each.x.map(toPixel);
    if (to < left || from > right) continue;
    if (to - from < LEAST) [from, to] = [(from + to - LEAST) / 2, (from + to + LEAST) / 2];
    const everywhere = whole !== null && each.x[0] <= whole[0] && each.x[1] >= whole[1];
    bands.push({...each, everywhere, left: Math.max(from, left), right: Math.min(to, right)});
  }
  return bands;
}

// Each place of a finding once: evidence on several curves of a chart often has the same.
export function distinct(spans) {
  const found = new Map();
  for (const each of spans) {
    const key = `${each.finding} ${each.x}`;
    if (!found.has(key)) found.set(key, each);
    else if (each.note && found.get(key).note !== each.note) found.set(key, {...found.get(key), note: [found.get(key).note, each.note].filter(Boolean).join('; ')});
  }
  return [...found.values()];
}

// The lane of each label, so that none covers another: labels are `width(band)` wide, within the plot.
export function lanes(bands, width, right) {
  const ends = [];
  return bands.map((band) => {
    const start = Math.max(0, Math.min(band.left, right - width(band)));
    let lane = ends.findIndex((end) => end <= start);
    if (lane < 0) lane = ends.length;
    ends[lane] = start + width(band) + 4;
    return {lane, start};
  });
}

// The narrowest band at a pixel: a wide one stays reachable beside it.
export function bandAt(bands, pixel) {
  const there = bands.filter((each) => each.left <= pixel && pixel <= each.right);
  there.sort((a, b) => a.right - a.left - (b.right - b.left));
  return there[0] ?? null;
}

// The part of the axis to show for a span: with a margin, and never a single point.
export function around([first, last], [low, high]) {
  const margin = Math.max((last - first) * 0.15, (high - low) * 0.02, 1e-9);
  const from = Math.max(first - margin, low - (high - low) * 0.02);
  const to = Math.min(last + margin, high + (high - low) * 0.02);
  return to > from ? [from, to] : [first - 1, last + 1];
}

// Whether values are better seen on a logarithmic axis: all positive, and either some that dwarf the others
// or most of them spread over many powers of ten. A rate that falls to nothing at the end is neither.
export function wantsLog(columns) {
  const values = columns.flat().filter((each) => each !== null && each !== undefined);
  values.sort((a, b) => a - b);
  if (!values.length || values[0] <= 0) return false;
  const at = (share) => values[Math.floor(share * (values.length - 1))];
  return at(1) > 1e4 * at(0.5) || at(0.95) > 1e4 * at(0.05);
}

// The ticks of a logarithmic axis: powers of ten, six or fewer steps between them.
export function powers(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last - first < 1) return [low, Math.sqrt(low * high), high].map((each) => Number(each.toPrecision(2)));
  const stride = Math.ceil((last - first) / 6);
  const ticks = [];
  for (let power = first; power <= last; power += stride) ticks.push(Number(`1e${power}`));
  return ticks;
}

export function drawBands(plot, bands) {
  const {ctx, bbox} = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  for (const band of bands) {
    ctx.fillStyle = color(band.severity);
    const left = bbox.left + band.left * ratio;
    const width = (band.right - band.left) * ratio;
    ctx.globalAlpha = band.everywhere ? 0 : 0.13;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.globalAlpha = 0.75;
    ctx.fillRect(left, bbox.top, width, 2 * ratio);
  }
  ctx.restore();
}

export function drawLabels(plot, bands) {
  const {ctx, bbox} = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = `600 ${10 * ratio}px Roboto, system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  const width = (band) => ctx.measureText(band.code).width / ratio + 8;
  const places = lanes(bands, width, bbox.width / ratio);
  bands.forEach((band, at) => {
    const {lane, start} = places[at];
    if (lane > 3) return;
    const left = bbox.left + start * ratio;
    const top = bbox.top + (2 + lane * LANE) * ratio;
    ctx.fillStyle = color(band.severity);
    ctx.fillRect(left, top, width(band) * ratio, (LANE - 2) * ratio);
    ctx.fillStyle = color('mark');
    ctx.fillText(band.code, left + 4 * ratio, top + ((LANE - 1) / 2) * ratio);
  });
  ctx.restore();
}

export function drawCrosses(plot, places) {
  const {ctx, bbox} = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = color('error');
  ctx.lineWidth = 1.5 * ratio;
  ctx.lineCap = 'round';
  const y = bbox.top + bbox.height;
  const arm = 3 * ratio;
  let last = -Infinity;
  ctx.beginPath();
  for (const place of places) {
    const x = bbox.left + plot.valToPos(place, 'x') * ratio;
    if (x < bbox.left - arm || x > bbox.left + bbox.width + arm || x - last < 2 * ratio) continue;
    last = x;
    ctx.moveTo(x - arm, y - arm);
    ctx.lineTo(x + arm, y + arm);
    ctx.moveTo(x + arm, y - arm);
    ctx.lineTo(x - arm, y + arm);
  }
  ctx.stroke();
  ctx.restore();
}
