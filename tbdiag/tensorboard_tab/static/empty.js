// What stands there when there is nothing to show: what is missing, and what to do.

import {command} from './copying.js';
import {h} from './element.js';
import * as format from './format.js';
import {shellWords} from './format.js';

export function notScanned(state, onScan) {
  return card(
    'These runs have not been diagnosed yet',
    h('p', null, 'A scan reads the event files, asks every rule, and marks what is wrong on the curves. It changes nothing in the logs.'),
    h('p', null, h('button.primary', {type: 'button', onclick: onScan}, 'Diagnose now')),
    h('p.quiet', null, 'Or in a terminal, so that the result stays with the logs:'),
    command(shellWords(['tbdiag', 'scan', state.logdir, '--write'])),
  );
}

export function scanning(state) {
  const {progress} = state;
  const share = progress?.of ? progress.bytes / progress.of : 0;
  return card(
    'Diagnosing the runs',
    bar(share),
    h('p.quiet', {role: 'status'}, progress ? `${format.whole(progress.files)} of ${format.count(progress.all, 'event file')}, ${format.bytes(progress.bytes)} of ${format.bytes(progress.of)}` : 'looking for event files …'),
  );
}

export function bar(share) {
  const percent = Math.round(share * 100);
  const filled = h('i');
  filled.style.width = `${percent}%`;
  return h('div.bar', {role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': percent, 'aria-label': 'progress of the scan'}, filled);
}

export function failed(state, onScan) {
  const {error} = state;
  let hint = 'Correct it, then scan again.';
  if (error.includes('holds no scalars')) hint = 'The event files hold no scalars and no histograms: log the loss with add_scalar (PyTorch), tf.summary.scalar (TensorFlow) or your framework’s TensorBoard logger, then scan again.';
  else if (error.includes('no event files')) hint = 'Start TensorBoard with the folder that your training script logs to, or train first, then scan again.';
  else if (error.includes('does not exist')) hint = 'Start TensorBoard with a folder that exists: tbdiag board PATH.';
  return card(
    'There is nothing to diagnose here',
    h('p.sentence', null, h('bdi', null, error)),
    h('p', null, hint),
    h('p', null, h('button.primary', {type: 'button', onclick: onScan}, 'Scan again')),
  );
}

export function unreachable(message, onRetry) {
  return card('The diagnosis cannot be shown', h('p.sentence', null, h('bdi', null, message)), h('p', null, h('button.primary', {type: 'button', onclick: onRetry}, 'Try again')));
}

export function noMatch(onClear) {
  return h('div.nomatch', {role: 'status'}, h('p', null, 'No run matches the filter.'), h('button', {type: 'button', onclick: onClear}, 'Clear the filter'));
}

function card(title, ...body) {
  return h('section.empty', {'aria-live': 'polite'}, h('h1', null, title), ...body);
}
