// Numbers, steps and times as people read them. Pure.

// A value of a curve or a setting: at most four digits, 1e-4 rather than 0.0001.
export function value(number) {
  if (number === null || number === undefined) return '–';
  if (typeof number !== 'number') return String(number);
  if (Number.isInteger(number) && Math.abs(number) < 1e6) return String(number);
  const size = Math.abs(number);
  if (size >= 1e-3 && size < 1e6) return String(Number(number.toPrecision(4)));
  const [digits, power] = number.toExponential(2).split('e');
  return `${Number(digits)}e${Number(power)}`;
}

// Values beside an axis: with more digits where they lie so near each other; nothing where there is none.
export function ticks(numbers) {
  const known = numbers.filter((each) => each !== null);
  const apart = Math.min(...known.slice(1).map((each, place) => Math.abs(each - known[place])).filter((each) => each > 0));
  for (let digits = 4; digits <= 15; digits += 1) {
    const said = (each) => (digits === 4 ? value(each) : String(Number(each.toPrecision(digits))));
    if (known.every((each) => Math.abs(Number(said(each)) - each) <= apart / 20)) return numbers.map((each) => (each === null ? '' : said(each)));
  }
  return numbers.map((each) => (each === null ? '' : String(each)));
}

// The room in pixels that such labels take beside an axis, in its small type.
export function margin(plot, labels) {
  return Math.max(52, 14 + 6.3 * Math.max(0, ...(labels ?? []).map((each) => each.length)));
}

// A step in at most five characters: 950, 12.5k, 1.2M.
export function step(number) {
  if (number === null || number === undefined) return '';
  const size = Math.abs(number);
  for (const [limit, unit] of [[1e9, 'G'], [1e6, 'M'], [1e4, 'k']]) {
    if (size >= limit) {
      const scale = unit === 'k' ? 1e3 : limit;
      const scaled = number / scale;
      return `${Number(scaled.toFixed(Math.abs(scaled) < 100 ? 1 : 0))}${unit}`;
    }
  }
  return String(number);
}

// 3 steps from afar: "step 95", "steps 95–600"
export function span([first, last]) {
  return first === last ? `step ${whole(first)}` : `steps ${whole(first)}–${whole(last)}`;
}

// 12 345 678 with thin spaces.
export function whole(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

export function count(number, noun, plural = `${noun}s`) {
  return `${whole(number)} ${number === 1 ? noun : plural}`;
}

// How long ago: "just now", "4 min ago", "3 h ago", "12 days ago".
export function age(seconds) {
  if (seconds < 45) return 'just now';
  if (seconds < 90 * 60) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

// A length of time: "12 s", "3 min", "2.5 h", "4.1 d".
export function duration(seconds) {
  const size = Math.abs(seconds);
  if (size < 100) return `${Number(seconds.toPrecision(3))} s`;
  if (size < 5400) return `${Number((seconds / 60).toPrecision(2))} min`;
  if (size < 48 * 3600) return `${Number((seconds / 3600).toPrecision(2))} h`;
  return `${Number((seconds / 86400).toPrecision(2))} d`;
}

export function bytes(number) {
  if (number < 1e6) return `${Math.round(number / 1e3)} kB`;
  if (number < 1e9) return `${Number((number / 1e6).toPrecision(3))} MB`;
  return `${Number((number / 1e9).toPrecision(3))} GB`;
}

// What a remedy does to a setting that has the value `now`; empty for advice.
export function change(remedy, hparams) {
  const {knob, change: told} = remedy;
  if (!knob || told.kind === 'advice') return '';
  const now = typeof hparams?.[knob] === 'number' ? hparams[knob] : null;
  const to = (next) => (now === null ? null : `${knob}: ${value(now)} → ${value(next)}`);
  switch (told.kind) {
    case 'scale':
      return (now ? to(now * told.by) : null) ?? `${knob} × ${value(told.by)}`;
    case 'set-to':
      return to(told.value) ?? `${knob} = ${value(told.value)}`;
    case 'shift':
      return (
        to(Math.min(Math.max(now + told.by, told.low), told.high)) ??
        `${knob} ${told.by < 0 ? '−' : '+'} ${value(Math.abs(told.by))}`
      );
    case 'within':
      return `${knob} from ${value(told.low)} to ${value(told.high)}`;
    default:
      return '';
  }
}

// A measure: "rise 0.62 > 0.05".
export function measure({name, value: number, relation, limit}) {
  const words = name.replaceAll('_', ' ');
  return limit === null ? `${words} ${value(number)}` : `${words} ${value(number)} ${relation} ${value(limit)}`;
}

// Words as a shell takes them.
export function shellWords(words) {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ');
}
