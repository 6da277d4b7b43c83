// The address of a view: `#tbdiag&p.tbdiag.run=X`, as TensorBoard writes the state of a plugin. Pure.

const PLUGIN = 'tbdiag';

// {kind: 'all'} | {kind: 'run', run, finding} | {kind: 'compare', runs}, null where the tab is not named
export function parse(hash) {
  const [plugin, ...parts] = hash.replace(/^#/, '').split('&');
  if (plugin !== PLUGIN) return null;
  const told = {};
  for (const part of parts) {
    const at = part.indexOf('=');
    const key = at < 0 ? part : part.slice(0, at);
    if (key.startsWith(`p.${PLUGIN}.`) && at >= 0) told[key.slice(PLUGIN.length + 3)] = part.slice(at + 1);
  }
  if (told.run) return {kind: 'run', run: decoded(told.run), finding: decoded(told.finding ?? '')};
  const runs = [...new Set((told.compare ?? '').split(',').filter(Boolean).map(decoded))];
  if (runs.length > 1) return {kind: 'compare', runs: runs.slice(0, 5)};
  return {kind: 'all'};
}

export function format(view) {
  const start = `#${PLUGIN}`;
  if (view.kind === 'run') {
    const finding = view.finding ? `&p.${PLUGIN}.finding=${encoded(view.finding)}` : '';
    return `${start}&p.${PLUGIN}.run=${encoded(view.run)}${finding}`;
  }
  if (view.kind === 'compare') return `${start}&p.${PLUGIN}.compare=${view.runs.map(encoded).join(',')}`;
  return start;
}

export function same(view, other) {
  return format(view) === format(other);
}

function encoded(text) {
  return encodeURIComponent(text.toWellFormed?.() ?? text);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // written by hand, with a lone percent sign
  }
}
