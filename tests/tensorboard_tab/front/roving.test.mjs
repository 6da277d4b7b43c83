import assert from 'node:assert/strict';
import {test} from 'node:test';

import {moved} from '../../../tbdiag/tensorboard_tab/static/roving.js';

const at = (row, column) => ({row, column});

test('arrows move by one and stop at the edges', () => {
  assert.deepEqual(moved('ArrowDown', at(0, 0), 3, 2), at(1, 0));
  assert.deepEqual(moved('ArrowDown', at(2, 0), 3, 2), at(2, 0));
  assert.deepEqual(moved('ArrowUp', at(0, 1), 3, 2), at(0, 1));
  assert.deepEqual(moved('ArrowRight', at(0, 1), 3, 2), at(0, 1));
  assert.deepEqual(moved('ArrowLeft', at(0, 1), 3, 2), at(0, 0));
});

test('longer ways', () => {
  assert.deepEqual(moved('End', at(1, 0), 3, 5), at(1, 4));
  assert.deepEqual(moved('Home', at(1, 3), 3, 5), at(1, 0));
  assert.deepEqual(moved('PageDown', at(1, 3), 30, 5), at(11, 3));
  assert.deepEqual(moved('PageUp', at(4, 3), 30, 5), at(0, 3));
});

test('other keys stay what they are', () => {
  assert.equal(moved('Tab', at(0, 0), 3, 2), null);
  assert.equal(moved('a', at(0, 0), 3, 2), null);
});
