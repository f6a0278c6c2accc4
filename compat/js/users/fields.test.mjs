import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, rejects, request, signUp, useServer } from '../support.mjs';

let user;
useServer({
  async prepare() {
    user = await signUp();
  },
});

/** The user as the server has it now. */
const stored = () => new Parse.Query(Parse.User).get(user.id, as(user));
const save = fields => user.save(fields, as(user));

const plain = [
  ['a String', 'text', 'ünïcödé'],
  ['an empty String', 'emptyText', ''],
  ['a long String', 'longText', 'x'.repeat(100_000)],
  ['an integer', 'whole', 42],
  ['a fraction', 'fraction', -1.5],
  ['a number that no integer type holds', 'big', 2 ** 53 - 1],
  ['true', 'yes', true],
  ['false', 'no', false],
  ['an Array', 'list', [1, 'x', null, [2], { k: 'v' }]],
  ['an empty Array', 'emptyList', []],
  ['an Object', 'map', { a: { b: [1, 2] }, c: null }],
  ['an empty Object', 'emptyMap', {}],
];
for (const [what, field, value] of plain) {
  test(`${what} comes back as it went`, async () => {
    await save({ [field]: value });
    assert.deepEqual((await stored()).get(field), value);
  });
}

test('a Date', async () => {
  const date = new Date('2020-02-03T04:05:06.789Z');
  await save({ date });
  assert.deepEqual((await stored()).get('date'), date);
  await save({ dates: [date], dated: { inside: date } });
  const back = await stored();
  assert.deepEqual(back.get('dates'), [date]);
  assert.deepEqual(back.get('dated'), { inside: date });
});

test('a GeoPoint', async () => {
  await save({ place: new Parse.GeoPoint(40.5, -30.25) });
  const place = (await stored()).get('place');
  assert.ok(place instanceof Parse.GeoPoint);
  assert.deepEqual([place.latitude, place.longitude], [40.5, -30.25]);
});

test('a Polygon', async () => {
  await save({ area: new Parse.Polygon([[0, 0], [0, 1], [1, 1]]) });
  const area = (await stored()).get('area');
  assert.ok(area instanceof Parse.Polygon);
  assert.ok(area.containsPoint(new Parse.GeoPoint(0.2, 0.7)));
});

test('Bytes', async () => {
  await request('PUT', `users/${user.id}`, { bytes: { __type: 'Bytes', base64: 'aGVsbG8=' } }, as(user));
  const raw = await request('GET', `users/${user.id}`, {}, as(user));
  assert.deepEqual(raw.bytes, { __type: 'Bytes', base64: 'aGVsbG8=' });
});

test('a File that has a name and an address', async () => {
  const file = { __type: 'File', name: 'picture.png', url: 'https://example.com/picture.png' };
  await request('PUT', `users/${user.id}`, { picture: file }, as(user));
  const picture = (await stored()).get('picture');
  assert.ok(picture instanceof Parse.File);
  assert.equal(picture.name(), 'picture.png');
});

test('a Pointer, and lists of them', async () => {
  const friend = await signUp({ nickname: 'friend' });
  await save({ friend, friends: [friend] });
  const back = await stored();
  assert.equal(back.get('friend').id, friend.id);
  assert.equal(back.get('friends')[0].id, friend.id);
  const included = await new Parse.Query(Parse.User).include('friend').get(user.id, asMaster);
  assert.equal(included.get('friend').get('nickname'), 'friend');
});

test('a Relation', async () => {
  const friends = [await signUp(), await signUp()];
  user.relation('circle').add(friends);
  await save();
  const query = (await stored()).relation('circle').query();
  assert.equal((await query.find(asMaster)).length, 2);
  user.relation('circle').remove(friends[0]);
  await save();
  const left = await query.find(asMaster);
  assert.deepEqual(left.map(friend => friend.id), [friends[1].id]);
});

test('null and unset', async () => {
  await save({ gone: 'here', nothing: null });
  assert.equal((await stored()).get('nothing'), null);
  user.unset('gone');
  await save();
  assert.equal((await stored()).has('gone'), false);
});

test('increment and decrement', async () => {
  await save({ score: 5 });
  user.increment('score');
  user.increment('score', 2.5);
  await save();
  assert.equal(user.get('score'), 8.5);
  user.decrement('score', 0.5);
  await save();
  assert.equal((await stored()).get('score'), 8);
  user.increment('fresh', 3);
  await save();
  assert.equal((await stored()).get('fresh'), 3);
});

test('add, addUnique, remove, and their forms for many', async () => {
  await save({ tags: ['a'] });
  const step = async (change, expected) => {
    change();
    await save();
    assert.deepEqual(user.get('tags'), expected);
    assert.deepEqual((await stored()).get('tags'), expected);
  };
  await step(() => user.add('tags', 'a'), ['a', 'a']);
  await step(() => user.addAll('tags', ['b', 'c']), ['a', 'a', 'b', 'c']);
  await step(() => user.addUnique('tags', 'b'), ['a', 'a', 'b', 'c']);
  await step(() => user.addAllUnique('tags', ['c', 'd']), ['a', 'a', 'b', 'c', 'd']);
  await step(() => user.remove('tags', 'a'), ['b', 'c', 'd']);
  await step(() => user.removeAll('tags', ['b', 'd']), ['c']);
});

test('operations in an object field by its path', async () => {
  await save({ settings: { volume: 1, colour: 'red', old: true } });
  user.set('settings.colour', 'blue');
  user.increment('settings.volume', 2);
  user.unset('settings.old');
  await save();
  assert.deepEqual((await stored()).get('settings'), { volume: 3, colour: 'blue' });
});

test('types are kept', async () => {
  await save({ typed: 'text' });
  const put = value => request('PUT', `users/${user.id}`, { typed: value }, as(user));
  for (const [value, name] of [[1, 'Number'], [true, 'Boolean'], [[1], 'Array'], [{ a: 1 }, 'Object']]) {
    await rejects(put(value), 111, `schema mismatch for _User.typed; expected String but got ${name}`);
  }
  await rejects(put({ __op: 'Increment', amount: 1 }), 111);
  await rejects(put({ __op: 'Add', objects: [1] }), 111);
  assert.equal((await stored()).get('typed'), 'text');
});

test('what may not be written', async () => {
  const put = body => request('PUT', `users/${user.id}`, body, as(user));
  await rejects(put({ emailVerified: true }), 119, 'Permission denied');
  await rejects(put({ 'bad name': 1 }), 105);
  await rejects(put({ n: { __op: 'Increment', amount: 'one' } }), 107);
  await rejects(put({ nested: { 'a.b': 1 } }), 121);
  await rejects(put({ nested: { $a: 1 } }), 121);
});

test('the schema knows the fields', async () => {
  await save({ text: 'x', whole: 1, yes: true, date: new Date(), place: new Parse.GeoPoint(1, 2), list: [], map: {} });
  const { fields } = await request('GET', 'schemas/_User', {}, asMaster);
  const types = Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, type]));
  for (const [field, type] of Object.entries({
    username: 'String', email: 'String', emailVerified: 'Boolean', authData: 'Object', text: 'String', whole: 'Number',
    yes: 'Boolean', date: 'Date', place: 'GeoPoint', list: 'Array', map: 'Object',
  })) assert.equal(types[field], type, field);
});
