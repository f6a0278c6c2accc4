import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, useServer } from '../support.mjs';

const TEXTS = { ann: 'the quick brown fox', bob: 'jumps over', cid: 'the lazy dog', dan: 'quick dogs', eve: 'Foxes' };
useServer({
  prepare: () => Parse.Object.saveAll(Object.entries(TEXTS).map(([name, text]) => new Parse.Object('Line', { name, text }))),
});

const query = () => new Parse.Query('Line');
const names = async found => (await found.find()).map(line => line.get('name')).sort().join(' ');

test('fullText, sorted by score', async () => {
  assert.equal(await names(query().fullText('text', 'fox')), 'ann eve');
  const found = await query().fullText('text', 'quick fox').ascending('$score').select('$score', 'name').find();
  assert.equal(found[0].get('name'), 'ann');
  assert.ok(found[0].get('score') > 0);
});
