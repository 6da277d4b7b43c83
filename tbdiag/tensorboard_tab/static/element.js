// Elements from their parts. Texts only ever become text: what comes from logs is never markup.

// h('button.quiet', {onclick, 'aria-label': '…'}, 'text', child, [more], null)
export function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split('.');
  const made = document.createElement(tag || 'div');
  if (classes.length) made.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key === 'dataset') Object.assign(made.dataset, value);
    else if (key === 'value' || key === 'checked') made[key] = value;
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

// A name out of the logs: it may turn the direction of writing, but not of what stands beside it.
export function named(text, attributes = {}) {
  return h('bdi', {title: text, ...attributes}, text);
}

// A drawing of paths in a square of 16.
export function icon(kind) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', `icon icon-${kind}`);
  svg.setAttribute('aria-hidden', 'true');
  for (const [shape, values] of ICONS[kind]) {
    const part = document.createElementNS('http://www.w3.org/2000/svg', shape);
    for (const [key, value] of Object.entries(values)) part.setAttribute(key, value);
    svg.append(part);
  }
  return svg;
}

const line = (d) => ['path', {d, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6, 'stroke-linecap': 'round', 'stroke-linejoin': 'round'}];
const solid = (d) => ['path', {d, fill: 'currentColor'}];
const mark = (d) => ['path', {d, fill: 'none', stroke: 'var(--mark)', 'stroke-width': 1.8, 'stroke-linecap': 'round'}];

// Severities differ in shape as well as in colour.
const ICONS = {
  error: [solid('M5 1h6l4 4v6l-4 4H5l-4-4V5z'), mark('M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8')],
  warning: [solid('M8 1.2L15.4 14.4H.6z'), mark('M8 6v3.6M8 12v.1')],
  note: [['circle', {cx: 8, cy: 8, r: 7, fill: 'currentColor'}], mark('M8 7.4V11.4M8 4.6v.1')],
  ok: [['circle', {cx: 8, cy: 8, r: 6.2, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.4}], line('M5.2 8.3l2 2 3.6-4.2')],
  copy: [line('M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z')],
  rescan: [line('M13.5 8a5.5 5.5 0 1 1-1.7-4M13.6 1.6v3h-3')],
  search: [line('M11 11l3.4 3.4M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10z')],
  close: [line('M4 4l8 8M12 4l-8 8')],
  up: [line('M4 10l4-4 4 4')],
  down: [line('M4 6l4 4 4-4')],
};
