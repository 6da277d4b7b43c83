import assert from 'node:assert/strict';
import {test} from 'node:test';

import {around, bandAt, distinct, laidOut, lanes, powers, wantsLog} from '../../../tbdiag/tensorboard_tab/static/marks.js';

const span = (x, more = {}) => ({x, code: 'X', finding: 0, ...more});

test('bands are cut off at the plot, and those outside are left out', () => {
  const bands = laidOut([span([0, 50]), span([90, 200]), span([300, 400])], (x) => x, 10, 100);
  assert.deepEqual(bands.map(({left, right}) => [left, right]), [[10, 50], [90, 100]]);
});

test('a band over all of the curve is known as such', () => {
  const bands = laidOut([span([0, 50]), span([0, 49])], (x) => x, 0, 50, [0, 50]);
  assert.deepEqual(bands.map((each) => each.everywhere), [true, false]);
});

test('a single step is wide enough to be seen and clicked', () => {
  const [band] = laidOut([span([50, 50])], (x) => x, 0, 100);
  assert.deepEqual([band.left, band.right], [48, 52]);
  assert.equal(bandAt([band], 51), band);
  assert.equal(bandAt([band], 60), null);
});

test('the narrowest band is the one that is clicked', () => {
  const bands = laidOut([span([0, 100]), span([40, 60], {code: 'Y'})], (x) => x, 0, 100);
  assert.equal(bandAt(bands, 50).code, 'Y');
  assert.equal(bandAt(bands, 10).code, 'X');
});

test('labels do not cover each other', () => {
  const places = lanes([{left: 0}, {left: 20}, {left: 60}, {left: 99}], () => 40, 100);
  assert.deepEqual(places.map((each) => each.lane), [0, 1, 0, 2]);
  assert.ok(places.every(({start}) => start + 40 <= 100));
});

test('one place of a finding is one band, with what all of its evidence says', () => {
  const found = distinct([span([1, 2], {note: 'climbing'}), span([1, 2], {note: 'falling'}), span([1, 3]), span([1, 2], {finding: 1})]);
  assert.equal(found.length, 3);
  assert.equal(found[0].note, 'climbing; falling');
});

test('a zoom has a margin and never a width of nothing', () => {
  const [low, high] = around([40, 60], [0, 100]);
  assert.ok(low < 40 && low > 30 && high > 60 && high < 70);
  const point = around([5, 5], [5, 5]);
  assert.ok(point[1] > point[0]);
  const edge = around([0, 100], [0, 100]);
  assert.ok(edge[0] >= -3 && edge[1] <= 103);
});

test('a logarithmic axis has few ticks, at powers of ten', () => {
  assert.deepEqual(powers(1, 1000), [1, 10, 100, 1000]);
  assert.deepEqual(powers(0.5, 2e23), [1, 1e4, 1e8, 1e12, 1e16, 1e20]);
  assert.equal(powers(2, 5).length, 3);
});

test('a logarithmic axis is for positive values over many powers of ten', () => {
  const cosine = Array.from({length: 100}, (_, at) => 0.1 * (1 + Math.cos((Math.PI * at) / 99)) + 1e-9);
  assert.ok(!wantsLog([cosine]));
  assert.ok(wantsLog([[2, 1, 1, 1, 1, 8e24]]));
  assert.ok(wantsLog([Array.from({length: 100}, (_, at) => 10 ** (-at / 10))]));
  assert.ok(wantsLog([[1, null], [1, 1e5]]));
  assert.ok(!wantsLog([[1, 100]]));
  assert.ok(!wantsLog([[0, 1e9]]));
  assert.ok(!wantsLog([[]]));
});
