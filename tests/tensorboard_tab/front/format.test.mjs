import assert from 'node:assert/strict';
import {test} from 'node:test';

import * as format from '../../../tbdiag/tensorboard_tab/static/format.js';

test('values take four digits', () => {
  const said = [0, 1, 0.1, 0.92345678, 1e-4, 1.5e-7, 123456.7, 8.07e24, -0.001234, 'relu', true, null];
  assert.deepEqual(said.map(format.value), ['0', '1', '0.1', '0.9235', '1e-4', '1.5e-7', '123500', '8.07e24', '-0.001234', 'relu', 'true', '–']);
});

test('values beside an axis differ', () => {
  assert.deepEqual(format.ticks([0, 0.5, 1]), ['0', '0.5', '1']);
  assert.deepEqual(format.ticks([1e-4, null, 1]), ['1e-4', '', '1']);
  assert.deepEqual(format.ticks([1.38802, 1.38804, 1.38806]), ['1.38802', '1.38804', '1.38806']);
  assert.deepEqual(format.ticks([100000.25, 100000.5]), ['100000.25', '100000.5']);
  assert.deepEqual(format.ticks([2, 2]), ['2', '2']);
});

test('an axis has room for its longest label', () => {
  assert.equal(format.margin(null, null), 52);
  assert.equal(format.margin(null, ['0', '0.5']), 52);
  assert.ok(format.margin(null, ['1.387775']) > format.margin(null, ['1.38777']));
});

test('steps take five characters', () => {
  const said = [0, 95, 9999, 10000, 12500, 123456, 1e6, 1250000, 5e9];
  assert.deepEqual(said.map(format.step), ['0', '95', '9999', '10k', '12.5k', '123k', '1M', '1.3M', '5G']);
  assert.ok(said.every((each) => format.step(each).length <= 5));
});

test('ages and times are told as people do', () => {
  assert.deepEqual([1, 80, 3600, 7200, 200000, 1e7].map(format.age), ['just now', '1 min ago', '60 min ago', '2 h ago', '2 days ago', '116 days ago']);
  assert.deepEqual([0, 12.34, 120, 9000, 1e6].map(format.duration), ['0 s', '12.3 s', '2 min', '2.5 h', '12 d']);
  assert.deepEqual([1200, 2.5e6, 3e9].map(format.bytes), ['1 kB', '2.5 MB', '3 GB']);
});

test('spans and counts', () => {
  assert.equal(format.span([95, 12345]), 'steps 95–12\u2009345');
  assert.equal(format.span([7, 7]), 'step 7');
  assert.equal(format.count(1, 'run'), '1 run');
  assert.equal(format.count(0, 'run'), '0 runs');
});

test('a remedy says from what to what', () => {
  const remedy = (knob, change) => ({knob, change, title: 't'});
  assert.equal(format.change(remedy('lr', {kind: 'scale', by: 0.1}), {lr: 0.01}), 'lr: 0.01 → 0.001');
  assert.equal(format.change(remedy('weight_decay', {kind: 'scale', by: 3}), {weight_decay: 0}), 'weight_decay × 3');
  assert.equal(format.change(remedy('lr', {kind: 'scale', by: 0.1}), {}), 'lr × 0.1');
  assert.equal(format.change(remedy('dropout', {kind: 'shift', by: 0.1, low: 0, high: 0.5}), {dropout: 0.45}), 'dropout: 0.45 → 0.5');
  assert.equal(format.change(remedy('dropout', {kind: 'shift', by: -0.1, low: 0, high: 0.5}), {}), 'dropout − 0.1');
  assert.equal(format.change(remedy('scheduler', {kind: 'set-to', value: 'cosine'}), {scheduler: 'constant'}), 'scheduler = cosine');
  assert.equal(format.change(remedy('lr', {kind: 'within', low: 1e-4, high: 1e-2}), {}), 'lr from 1e-4 to 0.01');
  assert.equal(format.change(remedy(null, {kind: 'advice'}), {}), '');
  assert.equal(format.change(remedy('lr', {kind: 'unheard of'}), {}), '');
});

test('measures with and without a limit', () => {
  assert.equal(format.measure({name: 'best_step', value: 95, relation: '', limit: null}), 'best step 95');
  assert.equal(format.measure({name: 'rise', value: 0.619, relation: '>', limit: 0.05}), 'rise 0.619 > 0.05');
  assert.equal(format.measure({name: 'rise', value: 'NaN', relation: '>', limit: 0.05}), 'rise NaN > 0.05');
});

test('words become a command that a shell takes apart again', () => {
  assert.equal(format.shellWords(['python', 'a b.py', "it's", '--lr=1e-3', '$HOME', '']), `python 'a b.py' 'it'"'"'s' --lr=1e-3 '$HOME' ''`);
});
