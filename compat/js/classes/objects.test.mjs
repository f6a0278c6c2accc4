import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, rejects, request, signUp, useServer } from '../support.mjs';

useServer();

const Thing = Parse.Object.extend('Thing');
const fetched = object => new Parse.Query(object.className).get(object.id);

test('create, get, update, delete', async () => {
  const thing = await new Thing({ name: 'one' }).save();
  assert.match(thing.id, /^[A-Za-z0-9]{10}$/);
  assert.deepEqual(thing.createdAt, thing.updatedAt);
  thing.set('name', 'two');
  await thing.save();
  const back = await fetched(thing);
  assert.equal(back.get('name'), 'two');
  assert.ok(back.updatedAt >= back.createdAt);
  assert.deepEqual(back.createdAt, thing.createdAt);
  await thing.destroy();
  await rejects(fetched(thing), 101, 'Object not found.');
  await rejects(thing.destroy(), 101, 'Object not found.');
  await rejects(thing.save({ name: 'three' }), 101, 'Object not found.');
});

const VALUES = {
  text: 'ünïcödé', emptyText: '', whole: 42, fraction: 1.25, negative: -7, big: 2 ** 53 - 1, yes: true, no: false, list: [1, 'x', null, [2], { k: 'v' }], emptyList: [],
  map: { a: { b: [1, 2] } }, emptyMap: {}, date: new Date('2020-02-03T04:05:06.789Z'), dates: [new Date(0)],
};
for (const [field, value] of Object.entries(VALUES)) {
  test(`${field} comes back as it went`, async () => {
    const thing = await new Thing({ [field]: value }).save();
    assert.deepEqual((await fetched(thing)).get(field), value);
  });
}

test('geometry, files, bytes and pointers', async () => {
  const other = await new Thing({ name: 'other' }).save();
  const thing = await new Thing({
    place: new Parse.GeoPoint(10, 20),
    area: new Parse.Polygon([[0, 0], [0, 2], [2, 2], [2, 0]]),
    other,
    others: [other],
    inside: { other, place: new Parse.GeoPoint(1, 2) },
  }).save();
  const back = await fetched(thing);
  assert.deepEqual(back.get('place').toJSON(), { __type: 'GeoPoint', latitude: 10, longitude: 20 });
  // the ring comes back closed
  assert.deepEqual(back.get('area').coordinates, [[0, 0], [0, 2], [2, 2], [2, 0], [0, 0]]);
  for (const pointer of [back.get('other'), back.get('others')[0], back.get('inside').other]) {
    assert.equal(pointer.id, other.id);
    assert.equal(pointer.className, 'Thing');
  }
  assert.equal(back.get('inside').place.longitude, 2);
  const bytes = { __type: 'Bytes', base64: 'AAECAw==' };
  const made = await request('POST', 'classes/Thing', { bytes, file: { __type: 'File', name: 'a.txt' } });
  const raw = await request('GET', `classes/Thing/${made.objectId}`);
  assert.deepEqual(raw.bytes, bytes);
  assert.equal(raw.file.name, 'a.txt');
});

test('nested objects are saved together', async () => {
  const [parent, child, grandchild] = ['Parent', 'Child', 'Grandchild'].map(name => new Parse.Object(name, { name }));
  child.set('child', await grandchild.save());
  parent.set('child', child);
  await parent.save();
  const back = await new Parse.Query('Parent').include('child.child').get(parent.id);
  assert.equal(back.get('child').get('child').get('name'), 'Grandchild');
});

test('every operator', async () => {
  const thing = await new Thing({ count: 1, tags: ['a', 'b'], gone: 1, map: { n: 1, old: 1 } }).save();
  thing.increment('count', 4);
  thing.decrement('fresh');
  thing.add('log', 'first');
  thing.addUnique('tags', 'b');
  thing.addUnique('tags', 'c');
  thing.unset('gone');
  thing.increment('map.n', 2);
  thing.set('map.new', 'x');
  thing.unset('map.old');
  await thing.save();
  thing.remove('tags', 'a');
  await thing.save();
  const back = (await fetched(thing)).toJSON();
  for (const key of ['objectId', 'createdAt', 'updatedAt']) delete back[key];
  assert.deepEqual(back, { count: 5, fresh: -1, log: ['first'], tags: ['b', 'c'], map: { n: 3, new: 'x' } });
});

test('a hundred increments at once lose nothing', async () => {
  const thing = await new Thing({ hits: 0 }).save();
  await Promise.all(Array.from({ length: 100 }, () => request('PUT', `classes/Thing/${thing.id}`, { hits: { __op: 'Increment', amount: 1 } })));
  assert.equal((await fetched(thing)).get('hits'), 100);
});

test('what clients are told of bad objects', async () => {
  const post = (fields, name = 'Thing') => request('POST', `classes/${name}`, fields);
  await rejects(post({ whole: 'text' }), 111, 'schema mismatch for Thing.whole; expected Number but got String');
  await rejects(post({ objectId: 'mine' }), 105, 'objectId is an invalid field name.');
  await rejects(post({ 'a b': 1 }), 105);
  await rejects(post({ map: { $a: 1 } }), 121);
  await rejects(post({ map: { 'a.b': 1 } }), 121);
  await rejects(post({ date: { __type: 'Date' } }), 111);
  await rejects(post({}, 'bad-name'), 107, 'schema class name does not revalidate');
  await rejects(post({}, '_Hooks'), 119, 'Permission denied');
  await rejects(post({ other: { __type: 'Pointer', className: 'Another', objectId: 'x' } }), 111);
  await rejects(request('GET', 'classes/Thing/nowhere123', {}), 101, 'Object not found.');
});

test('createdAt and updatedAt belong to the server', async () => {
  const past = { __type: 'Date', iso: '2001-01-01T00:00:00.000Z' };
  const { objectId } = await request('POST', 'classes/Thing', { createdAt: past, updatedAt: past });
  const back = await request('GET', `classes/Thing/${objectId}`);
  assert.notEqual(back.createdAt, past.iso);
  assert.notEqual(back.updatedAt, past.iso);
});

test('fetch, fetchAll, fetchWithInclude, exists', async () => {
  const child = await new Thing({ name: 'child' }).save();
  const parent = await new Thing({ name: 'parent', child }).save();
  await request('PUT', `classes/Thing/${parent.id}`, { name: 'renamed' });
  await parent.fetch();
  assert.equal(parent.get('name'), 'renamed');
  const bare = Thing.createWithoutData(parent.id);
  await bare.fetchWithInclude('child');
  assert.equal(bare.get('child').get('name'), 'child');
  const many = [Thing.createWithoutData(parent.id), Thing.createWithoutData(child.id)];
  await Parse.Object.fetchAll(many);
  assert.deepEqual(many.map(object => object.get('name')), ['renamed', 'child']);
  assert.equal(await parent.exists(), true);
  await parent.destroy();
  assert.equal(await parent.exists(), false);
});

test('an object of a user', async () => {
  const user = await signUp();
  const note = new Parse.Object('Note', { text: 'private', owner: user });
  note.setACL(new Parse.ACL(user));
  await note.save(null, as(user));
  await rejects(fetched(note), 101);
  const seen = await new Parse.Query('Note').include('owner').get(note.id, as(user));
  assert.equal(seen.get('owner').get('username'), user.getUsername());
  await rejects(request('PUT', `classes/Note/${note.id}`, { text: 'x' }), 101, 'Object not found.');
  await rejects(request('DELETE', `classes/Note/${note.id}`, {}), 101, 'Object not found.');
  await note.destroy(asMaster);
});
