import assert from 'node:assert/strict';
import {test} from 'node:test';

import {format, parse, same} from '../../../tbdiag/tensorboard_tab/static/link.js';

test('a view comes back from its address', () => {
  for (const view of [
    {kind: 'all'},
    {kind: 'run', run: 'a/b c', finding: ''},
    {kind: 'run', run: '<img src=x onerror=alert(1)>&p.tbdiag.run=y', finding: 'GEN001'},
    {kind: 'run', run: '50% off #1', finding: ''},
    {kind: 'compare', runs: ['a,b', 'ü=&c', 'd']},
  ]) {
    assert.deepEqual(parse(format(view)), view);
  }
});

test('the links of written summaries open a run', () => {
  assert.deepEqual(parse('#tbdiag&p.tbdiag.run=lr1e-2'), {kind: 'run', run: 'lr1e-2', finding: ''});
  assert.deepEqual(parse('#tbdiag&p.tbdiag.run=a%2Fb&other=1'), {kind: 'run', run: 'a/b', finding: ''});
});

test('other tabs are none of our business', () => {
  assert.equal(parse(''), null);
  assert.equal(parse('#scalars&p.tbdiag.run=x'), null);
  assert.deepEqual(parse('#tbdiag'), {kind: 'all'});
});

test('addresses written by hand do no harm', () => {
  assert.deepEqual(parse('#tbdiag&p.tbdiag.run=100%'), {kind: 'run', run: '100%', finding: ''});
  assert.deepEqual(parse('#tbdiag&p.tbdiag.run'), {kind: 'all'});
  assert.deepEqual(parse('#tbdiag&p.tbdiag.compare=a'), {kind: 'all'});
  assert.equal(parse('#tbdiag&p.tbdiag.compare=a,b,c,d,e,f').runs.length, 5);
});

test('a lone surrogate in a name makes no address fail', () => {
  assert.ok(format({kind: 'run', run: 'a\ud800'}).startsWith('#tbdiag&p.tbdiag.run=a'));
});

test('views are the same where their addresses are', () => {
  assert.ok(same({kind: 'run', run: 'a'}, {kind: 'run', run: 'a', finding: ''}));
  assert.ok(!same({kind: 'run', run: 'a'}, {kind: 'all'}));
});
