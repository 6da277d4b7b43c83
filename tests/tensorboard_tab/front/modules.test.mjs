// What holds for every module of the front end, by its text.

import assert from 'node:assert/strict';
import {readFileSync, readdirSync} from 'node:fs';
import {test} from 'node:test';

const folder = new URL('../../../tbdiag/tensorboard_tab/static/', import.meta.url);
const modules = readdirSync(folder).filter((name) => name.endsWith('.js'));
const text = (name) => readFileSync(new URL(name, folder), 'utf8');

test('there are modules', () => assert.ok(modules.length > 10));

for (const name of modules) {
  test(`${name} makes no markup out of text`, () => {
    assert.doesNotMatch(text(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  });

  test(`${name} loads nothing from elsewhere`, () => {
    const elsewhere = text(name).replaceAll('http://www.w3.org/2000/svg', '');
    assert.doesNotMatch(elsewhere, /https?:\/\//);
    for (const [, path] of text(name).matchAll(/^import .* from '([^']+)'/gm)) assert.match(path, /^\.\/(vendor\/)?[\w.]+\.js$/);
  });

  test(`${name} says what it is for and stays small`, () => {
    assert.match(text(name), /^\/\/ [A-Z]/);
    assert.ok(text(name).split('\n').length < 420);
  });
}

test('the vendored library is told by version and licence', () => {
  const version = text('vendor/README.md').match(/uPlot (\d+\.\d+\.\d+)/)[1];
  assert.ok(text('vendor/uPlot.esm.js').includes(`(v${version})`));
  assert.match(text('vendor/uPlot.LICENSE'), /MIT/);
});
