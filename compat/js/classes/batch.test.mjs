import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, rejects, request, useServer } from '../support.mjs';

const held = useServer();

const Row = Parse.Object.extend('Row');
const rows = (count, fields = {}) => Array.from({ length: count }, (_, n) => new Row({ n, ...fields }));
const batch = (requests, more) => request('POST', 'batch', { requests, ...more });

test('saveAll and destroyAll with 500 objects', async () => {
  const many = rows(500, { group: 'big' });
  await Parse.Object.saveAll(many);
  assert.equal(new Set(many.map(row => row.id)).size, 500);
  assert.equal(await new Parse.Query(Row).equalTo('group', 'big').count(), 500);
  for (const row of many) row.increment('n', 1000);
  await Parse.Object.saveAll(many);
  assert.equal(await new Parse.Query(Row).equalTo('group', 'big').greaterThanOrEqualTo('n', 1000).count(), 500);
  const first = await new Parse.Query(Row).equalTo('group', 'big').limit(1000).ascending('n').find();
  assert.deepEqual([first.length, first[0].get('n'), first[499].get('n')], [500, 1000, 1499]);
  await Parse.Object.destroyAll(many);
  assert.equal(await new Parse.Query(Row).equalTo('group', 'big').count(), 0);
});

test('one bad object does not spoil the others', async () => {
  await new Row({ typed: 1 }).save();
  const mixed = [new Row({ typed: 2, group: 'mixed' }), new Row({ typed: 'x', group: 'mixed' }), new Row({ typed: 3, group: 'mixed' })];
  const error = await Parse.Object.saveAll(mixed).then(() => assert.fail('no error'), reason => reason);
  assert.equal(error.code, 111);
  assert.equal(await new Parse.Query(Row).equalTo('group', 'mixed').count(), 2);
});

test('answers stand in the order of the requests', async () => {
  const row = await new Row({ n: 1 }).save();
  const answers = await batch([
    { method: 'POST', path: '/parse/classes/Row', body: { n: 2 } },
    { method: 'GET', path: `/parse/classes/Row/${row.id}` },
    { method: 'PUT', path: '/parse/classes/Row/nowhere123', body: { n: 3 } },
    { method: 'DELETE', path: `/parse/classes/Row/${row.id}` },
  ]);
  assert.ok(answers[0].success.objectId);
  assert.equal(answers[1].success?.n ?? 1, 1);
  assert.deepEqual(answers[2].error, { code: 101, error: 'Object not found.' });
  assert.ok('success' in answers[3] || answers[3].error.code === 101);
  assert.deepEqual(await batch([]), []);
});

test('a transaction is all or nothing', async () => {
  const create = body => ({ method: 'POST', path: '/parse/classes/Row', body });
  await new Row({ typed: 1 }).save();
  await batch([create({ group: 'tx' }), create({ group: 'tx' })], { transaction: true }).catch(() => {});
  const before = await new Parse.Query(Row).equalTo('group', 'tx').count();
  assert.ok([0, 2].includes(before));
  await assert.rejects(batch([create({ group: 'tx2' }), create({ group: 'tx2', typed: 'x' })], { transaction: true }));
  assert.equal(await new Parse.Query(Row).equalTo('group', 'tx2').count(), 0);
});

test('refusals', async () => {
  const { body } = await held.server.request('POST', '/batch', { json: { requests: 'x' } });
  assert.deepEqual(body, { code: 107, error: 'requests must be an array' });
  await rejects(batch([{ method: 'GET', path: '/elsewhere/classes/Row' }]), 107, 'cannot route batch path /elsewhere/classes/Row');
  await rejects(batch([{ method: 'GET', path: '/parse/nothing' }]), 107, 'cannot route GET /nothing');
  await rejects(batch([{ method: 'POST', path: '/parse/batch', body: { requests: [] } }]), 107, 'nested batch requests are not allowed');
});
