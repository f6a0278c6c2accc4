import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, asMaster, rejects, request, useServer } from '../support.mjs';

useServer({
  prepare: () =>
    Parse.Object.saveAll([
      new Parse.Object('Sale', { shop: 'a', sum: 10, tags: ['x', 'y'] }),
      new Parse.Object('Sale', { shop: 'b', sum: 20, tags: ['y', 'z'] }),
      new Parse.Object('Sale', { shop: 'a', sum: 30, tags: [] }),
    ]),
});

const query = () => new Parse.Query('Sale');

test('distinct', async () => {
  assert.deepEqual((await query().distinct('tags')).sort(), ['x', 'y', 'z']);
  assert.deepEqual(await query().equalTo('shop', 'b').distinct('sum'), [20]);
});

test('match, group, sort', async () => {
  const rows = await query().aggregate([{ $match: { sum: { $gt: 5 } } }, { $group: { _id: '$shop', total: { $sum: '$sum' } } }, { $sort: { _id: 1 } }]);
  assert.deepEqual(rows.map(({ objectId, total }) => [objectId, total]), [['a', 40], ['b', 20]]);
});

test('project, limit, skip, count', async () => {
  const rows = await query().aggregate([{ $sort: { sum: -1 } }, { $skip: 1 }, { $limit: 1 }, { $project: { sum: 1 } }]);
  assert.deepEqual(rows.map(row => row.sum), [20]);
  assert.deepEqual((await query().aggregate([{ $count: 'total' }])).map(row => row.total), [3]);
});

test('refusals', async () => {
  await rejects(request('GET', 'aggregate/Sale', { pipeline: [{ group: {} }] }, asMaster), 102);
  await assert.rejects(request('GET', 'aggregate/Sale', { pipeline: [] }), /unauthorized|denied/i);
});
