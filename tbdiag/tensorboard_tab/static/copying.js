// Buttons that copy a text and say so.

import {h, icon} from './element.js';

export function copyButton(text, label = 'Copy') {
  const said = h('span.said', {'aria-live': 'polite'});
  const button = h('button.copy', {type: 'button', title: `${label}: ${text.slice(0, 300)}`, 'aria-label': label}, icon('copy'), said);
  let timer = 0;
  button.addEventListener('click', async (event) => {
    event.stopPropagation();
    said.textContent = (await copied(text)) ? 'copied' : 'press Ctrl+C';
    button.classList.add('done');
    clearTimeout(timer);
    timer = setTimeout(() => {
      said.textContent = '';
      button.classList.remove('done');
    }, 1500);
  });
  return button;
}

// A line of text that is meant to be copied.
export function command(text, label = 'Copy the command') {
  return h('div.command', null, h('code', {tabindex: 0}, text), copyButton(text, label));
}

// Where the clipboard is not to be had (plain HTTP on another host), the text is selected the old way.
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h('textarea.offscreen', {value: text, 'aria-hidden': 'true', tabindex: -1});
    document.body.append(area);
    const before = document.activeElement;
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    before?.focus?.();
    return done;
  }
}
