import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, ids, rejects, request, signUp, unique, useServer } from '../support.mjs';

const group = unique('group');
const users = [];
useServer({
  enforcePrivateUsers: false,
  async prepare() {
    for (const [index, colour] of ['red', 'green', 'blue', 'red', undefined].entries()) {
      const fields = { group, rank: index, tags: [`t${index}`, 'all'], home: { street: `Street ${index}` } };
      users.push(await signUp(colour ? { ...fields, colour } : fields));
    }
  },
});

const query = () => new Parse.Query(Parse.User).equalTo('group', group);
/** The ranks of what a query finds. */
const ranks = async (found, options) => (await found.find(options)).map(user => user.get('rank')).sort();

const cases = [
  ['equalTo', found => found.equalTo('colour', 'red'), [0, 3]],
  ['equalTo in a list', found => found.equalTo('tags', 't2'), [2]],
  ['equalTo of a path', found => found.equalTo('home.street', 'Street 1'), [1]],
  ['notEqualTo', found => found.notEqualTo('colour', 'red'), [1, 2, 4]],
  ['greaterThan', found => found.greaterThan('rank', 2), [3, 4]],
  ['greaterThanOrEqualTo', found => found.greaterThanOrEqualTo('rank', 2), [2, 3, 4]],
  ['lessThan', found => found.lessThan('rank', 2), [0, 1]],
  ['lessThanOrEqualTo', found => found.lessThanOrEqualTo('rank', 2), [0, 1, 2]],
  ['a range', found => found.greaterThan('rank', 0).lessThan('rank', 3), [1, 2]],
  ['containedIn', found => found.containedIn('colour', ['green', 'blue', 'pink']), [1, 2]],
  ['notContainedIn', found => found.notContainedIn('colour', ['green', 'blue']), [0, 3, 4]],
  ['containedIn nothing', found => found.containedIn('colour', []), []],
  ['exists', found => found.exists('colour'), [0, 1, 2, 3]],
  ['doesNotExist', found => found.doesNotExist('colour'), [4]],
  ['matches', found => found.matches('colour', '^R', 'i'), [0, 3]],
  ['startsWith', found => found.startsWith('colour', 'gr'), [1]],
  ['endsWith', found => found.endsWith('colour', 'e'), [2]],
  ['contains', found => found.contains('colour', 'ee'), [1]],
  ['startsWith with special characters', found => found.startsWith('colour', '.*'), []],
];
for (const [what, narrow, expected] of cases) {
  test(what, async () => assert.deepEqual(await ranks(narrow(query())), expected));
}

test('or, and, nor', async () => {
  const red = query().equalTo('colour', 'red');
  const high = query().greaterThan('rank', 2);
  assert.deepEqual(await ranks(Parse.Query.or(red, high)), [0, 3, 4]);
  assert.deepEqual(await ranks(Parse.Query.and(red, high)), [3]);
  assert.deepEqual(await ranks(Parse.Query.nor(red, high).equalTo('group', group)), [1, 2]);
});

test('order, limit and skip', async () => {
  const list = async found => (await found.find()).map(user => user.get('rank'));
  assert.deepEqual(await list(query().ascending('rank')), [0, 1, 2, 3, 4]);
  assert.deepEqual(await list(query().descending('rank')), [4, 3, 2, 1, 0]);
  assert.deepEqual(await list(query().ascending('colour').addDescending('rank')), [4, 2, 1, 3, 0]);
  assert.deepEqual(await list(query().ascending('rank').skip(1).limit(2)), [1, 2]);
  assert.deepEqual(await list(query().limit(0)), []);
});

test('select and exclude', async () => {
  const [one] = await query().equalTo('rank', 0).select('rank').find();
  assert.deepEqual(Object.keys(one.toJSON()).sort(), ['ACL', 'createdAt', 'objectId', 'rank', 'updatedAt']);
  const [other] = await query().equalTo('rank', 0).exclude('rank', 'home').find();
  assert.equal(other.has('rank'), false);
  assert.equal(other.has('home'), false);
  assert.equal(other.has('colour'), true);
});

test('count, first, get, findAll, each', async () => {
  assert.equal(await query().count(), 5);
  const { results, count } = await query().withCount().limit(2).find();
  assert.deepEqual([results.length, count], [2, 5]);
  assert.equal((await query().descending('rank').first()).get('rank'), 4);
  assert.equal(await query().equalTo('rank', 99).first(), undefined);
  assert.equal((await new Parse.Query(Parse.User).get(users[2].id)).get('rank'), 2);
  await rejects(new Parse.Query(Parse.User).get('nobody1234'), 101, 'Object not found.');
  assert.deepEqual(ids(await query().findAll({ batchSize: 2 })), ids(users));
  const seen = [];
  await query().each(user => seen.push(user.get('rank')), { batchSize: 2 });
  assert.deepEqual(seen.sort(), [0, 1, 2, 3, 4]);
});

test('by objectId and by date', async () => {
  assert.deepEqual(await ranks(query().equalTo('objectId', users[1].id)), [1]);
  assert.deepEqual(await ranks(query().containedIn('objectId', [users[1].id, users[4].id])), [1, 4]);
  assert.deepEqual(await ranks(query().greaterThan('createdAt', users[2].createdAt)), [3, 4]);
});

test('queries that the server refuses', async () => {
  const find = (where, options) => request('GET', 'users', { where }, options);
  await rejects(find({ rank: { $nonsense: 1 } }), 107, 'bad constraint: $nonsense');
  await rejects(find({ $where: 'true' }), 105, 'Invalid key name: $where');
  await rejects(find({ $or: 'x' }), 102);
  await rejects(find({ rank: { $in: 'x' } }), 107, 'bad $in value');
  await rejects(find({ 'bad name': 1 }), 105);
  await rejects(request('GET', 'users', { nonsense: 1 }), 102, 'Invalid parameter for query: nonsense');
  await rejects(find({ _hashed_password: { $regex: '.' } }), 105);
  await rejects(find({ _session_token: { $exists: true } }), 105);
  assert.equal((await find({ username: { $regex: '.' }, group }, asMaster)).results.length, 5);
});

test('a password cannot be asked for', async () => {
  const { results } = await request('GET', 'users', { where: { password: { $exists: true } } }, as(users[0]));
  assert.deepEqual(results, []);
});
