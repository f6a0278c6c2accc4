import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, asMaster, ids, rejects, request, useServer } from '../support.mjs';

const Player = Parse.Object.extend('Player');
const Team = Parse.Object.extend('Team');
const players = {};
const teams = {};

useServer({
  async prepare() {
    for (const [name, city] of [['red', 'Rome'], ['blue', 'Bonn']]) teams[name] = await new Team({ name, city }).save();
    const rows = [
      { name: 'ann', score: 10, tags: ['a', 'b'], team: teams.red, place: new Parse.GeoPoint(0, 0), text: 'the quick brown fox' },
      { name: 'bob', score: 20, tags: ['b', 'c'], team: teams.blue, place: new Parse.GeoPoint(1, 1), text: 'jumps over' },
      { name: 'cid', score: 30, tags: [], team: teams.red, place: new Parse.GeoPoint(10, 10), text: 'the lazy dog' },
      { name: 'dan', score: 40, tags: ['a', 'b', 'c'], nested: { deep: { n: 1 } }, text: 'quick dogs' },
      { name: 'eve', score: 50, nothing: null, list: [{ n: 1 }, { n: 2 }], text: 'Foxes' },
    ];
    for (const row of rows) players[row.name] = await new Player(row).save();
  },
});

const query = () => new Parse.Query(Player);
const names = async found => (await found.find()).map(player => player.get('name')).sort().join(' ');

const CASES = [
  ['equalTo', q => q.equalTo('score', 20), 'bob'],
  ['notEqualTo', q => q.notEqualTo('score', 20), 'ann cid dan eve'],
  ['lessThan', q => q.lessThan('score', 20), 'ann'],
  ['lessThanOrEqualTo', q => q.lessThanOrEqualTo('score', 20), 'ann bob'],
  ['greaterThan', q => q.greaterThan('score', 30), 'dan eve'],
  ['greaterThanOrEqualTo', q => q.greaterThanOrEqualTo('score', 30), 'cid dan eve'],
  ['greaterThan a text', q => q.greaterThan('name', 'cid'), 'dan eve'],
  ['containedIn', q => q.containedIn('name', ['ann', 'eve', 'zoe']), 'ann eve'],
  ['notContainedIn', q => q.notContainedIn('name', ['ann', 'eve']), 'bob cid dan'],
  ['exists', q => q.exists('tags'), 'ann bob cid dan'],
  ['doesNotExist', q => q.doesNotExist('tags'), 'eve'],
  ['equalTo null', q => q.equalTo('team', null), 'dan eve'],
  ['equalTo an element', q => q.equalTo('tags', 'a'), 'ann dan'],
  ['notEqualTo an element', q => q.notEqualTo('tags', 'a'), 'bob cid eve'],
  ['containedIn elements', q => q.containedIn('tags', ['c']), 'bob dan'],
  ['containsAll', q => q.containsAll('tags', ['a', 'b']), 'ann dan'],
  ['containedBy', q => q.containedBy('tags', ['a', 'b']).lessThan('score', 45), 'ann cid'],
  ['containsAllStartingWith', q => q.containsAllStartingWith('tags', ['a', 'c']), 'dan'],
  ['a path', q => q.equalTo('nested.deep.n', 1), 'dan'],
  ['a path into a list', q => q.equalTo('list.n', 2), 'eve'],
  ['matches', q => q.matches('name', /^[A-C]/i), 'ann bob cid'],
  ['matches with lookahead', q => q.matches('name', '^(?!a)[a-c]'), 'bob cid'],
  ['startsWith', q => q.startsWith('text', 'the '), 'ann cid'],
  ['endsWith', q => q.endsWith('text', 'dog'), 'cid'],
  ['contains', q => q.contains('text', 'quick'), 'ann dan'],
  ['a pointer', q => q.equalTo('team', teams.red), 'ann cid'],
  ['pointers', q => q.containedIn('team', [teams.red, teams.blue]), 'ann bob cid'],
  ['matchesQuery', q => q.matchesQuery('team', new Parse.Query(Team).equalTo('city', 'Rome')), 'ann cid'],
  ['doesNotMatchQuery', q => q.doesNotMatchQuery('team', new Parse.Query(Team).equalTo('city', 'Rome')), 'bob dan eve'],
  ['matchesKeyInQuery', q => q.matchesKeyInQuery('name', 'name', query().greaterThan('score', 30)), 'dan eve'],
  ['doesNotMatchKeyInQuery', q => q.doesNotMatchKeyInQuery('name', 'name', query().greaterThan('score', 30)), 'ann bob cid'],
  ['withinGeoBox', q => q.withinGeoBox('place', new Parse.GeoPoint(-1, -1), new Parse.GeoPoint(2, 2)), 'ann bob'],
  ['withinPolygon', q => q.withinPolygon('place', [[-1, -1], [-1, 2], [2, 2], [2, -1]]), 'ann bob'],
  ['withinKilometers', q => q.withinKilometers('place', new Parse.GeoPoint(0, 0), 200), 'ann bob'],
  ['withinKilometers unsorted', q => q.withinKilometers('place', new Parse.GeoPoint(0, 0), 200, false), 'ann bob'],
  ['withinMiles', q => q.withinMiles('place', new Parse.GeoPoint(0, 0), 50), 'ann'],
  ['withinRadians', q => q.withinRadians('place', new Parse.GeoPoint(10, 10), 0.01), 'cid'],
  ['or', () => Parse.Query.or(query().equalTo('score', 10), query().equalTo('name', 'eve')), 'ann eve'],
  ['and', () => Parse.Query.and(query().greaterThan('score', 10), query().lessThan('score', 40)), 'bob cid'],
  ['nor', () => Parse.Query.nor(query().greaterThan('score', 20), query().equalTo('name', 'ann')), 'bob'],
];
for (const [what, narrow, expected] of CASES) {
  test(what, async () => assert.equal(await names(narrow(query())), expected));
}

test('near sorts by distance', async () => {
  const found = await query().near('place', new Parse.GeoPoint(9, 9)).find();
  assert.deepEqual(found.map(player => player.get('name')), ['cid', 'bob', 'ann']);
});

test('polygonContains', async () => {
  const area = await new Parse.Object('Area', { shape: new Parse.Polygon([[0, 0], [0, 4], [4, 4], [4, 0]]) }).save();
  const found = await new Parse.Query('Area').polygonContains('shape', new Parse.GeoPoint(2, 2)).find();
  assert.deepEqual(ids(found), [area.id]);
  assert.equal(await new Parse.Query('Area').polygonContains('shape', new Parse.GeoPoint(5, 5)).count(), 0);
});

test('order, limit, skip, select, exclude', async () => {
  const list = async found => (await found.find()).map(player => player.get('name')).join(' ');
  assert.equal(await list(query().descending('score').limit(2)), 'eve dan');
  assert.equal(await list(query().ascending('score').skip(3)), 'dan eve');
  assert.equal(await list(query().addAscending('nothing').addDescending('name')), 'eve dan cid bob ann');
  const [one] = await query().equalTo('name', 'ann').select('score').find();
  assert.deepEqual([one.get('score'), one.get('name')], [10, undefined]);
  const [other] = await query().equalTo('name', 'ann').exclude('score').find();
  assert.deepEqual([other.get('score'), other.get('name')], [undefined, 'ann']);
});

test('include and includeAll', async () => {
  const ann = await query().include('team').equalTo('name', 'ann').first();
  assert.equal(ann.get('team').get('city'), 'Rome');
  const bob = await query().includeAll().equalTo('name', 'bob').first();
  assert.equal(bob.get('team').get('city'), 'Bonn');
  const part = await query().include('team').select('team.city').equalTo('name', 'ann').first();
  assert.deepEqual([part.get('team').get('city'), part.get('team').get('name')], ['Rome', undefined]);
});

test('a pointer to what is gone is left out', async () => {
  const team = await new Team({ name: 'short-lived' }).save();
  const fan = await new Parse.Object('Fan', { team }).save();
  await team.destroy();
  const raw = await request('GET', `classes/Fan/${fan.id}`, { include: 'team' });
  assert.equal(raw.team, undefined);
});

test('count, first, get, findAll, each, map, reduce, filter', async () => {
  assert.equal(await query().greaterThan('score', 20).count(), 3);
  assert.equal((await query().descending('score').first()).get('name'), 'eve');
  assert.equal((await query().get(players.ann.id)).get('name'), 'ann');
  const { results, count } = await query().withCount().limit(1).find();
  assert.deepEqual([results.length, count], [1, 5]);
  assert.equal((await query().findAll({ batchSize: 2 })).length, 5);
  assert.deepEqual((await query().map(player => player.get('name'))).sort(), ['ann', 'bob', 'cid', 'dan', 'eve']);
  assert.equal(await query().reduce((sum, player) => sum + player.get('score'), 0), 150);
  assert.equal((await query().filter(player => player.get('score') > 40)).length, 1);
});

test('explain and hint', async () => {
  const plan = await query().equalTo('name', 'ann').explain().find(asMaster);
  assert.equal(typeof plan, 'object');
  await rejects(request('GET', 'classes/Player', { explain: true }), 102);
  await rejects(request('GET', 'classes/Player', { explain: 'nonsense' }, asMaster), 102);
});

test('a class that nobody has made', async () => {
  assert.deepEqual(await new Parse.Query('Nowhere').find(), []);
  assert.equal(await new Parse.Query('Nowhere').count(), 0);
});

test('queries that are refused', async () => {
  const find = where => request('GET', 'classes/Player', { where });
  await rejects(find({ score: { $nonsense: 1 } }), 107);
  await rejects(find({ score: { $in: 1 } }), 107);
  await rejects(find({ $or: 1 }), 102);
  await rejects(find({ 'a b': 1 }), 105);
  await rejects(find({ $where: '1' }), 105);
  await rejects(request('GET', 'classes/Player', { nonsense: 1 }), 102);
  await rejects(request('GET', 'classes/Player', { order: '$x' }), 105);
});
