import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, rejects, request, unique, useServer, asMaster } from '../support.mjs';

useServer();

const className = () => `S${unique('').replaceAll('-', '')}`;

test('a class with fields of every type', async () => {
  const name = className();
  const schema = new Parse.Schema(name);
  schema.addString('text').addNumber('number').addBoolean('flag').addDate('date').addFile('file').addGeoPoint('place').addPolygon('area')
    .addArray('list').addObject('map').addPointer('pointer', '_User').addRelation('relation', '_User').addField('bytes', 'Bytes');
  await schema.save();
  const { fields } = await new Parse.Schema(name).get();
  const types = Object.fromEntries(Object.entries(fields).map(([field, { type, targetClass }]) => [field, targetClass ? `${type} ${targetClass}` : type]));
  assert.deepEqual(types, {
    objectId: 'String', createdAt: 'Date', updatedAt: 'Date', ACL: 'ACL', text: 'String', number: 'Number', flag: 'Boolean', date: 'Date', file: 'File',
    place: 'GeoPoint', area: 'Polygon', list: 'Array', map: 'Object', pointer: 'Pointer _User', relation: 'Relation _User', bytes: 'Bytes',
  });
});

test('required fields and defaults', async () => {
  const name = className();
  const schema = new Parse.Schema(name);
  schema.addString('title', { required: true }).addNumber('stars', { defaultValue: 3 });
  await schema.save();
  await rejects(new Parse.Object(name).save(), 142, 'title is required');
  const saved = await new Parse.Object(name, { title: 'x' }).save();
  assert.equal((await new Parse.Query(name).get(saved.id)).get('stars'), 3);
});

test('adding and deleting fields', async () => {
  const name = className();
  await new Parse.Object(name, { old: 1, kept: 'x' }).save();
  const schema = new Parse.Schema(name);
  schema.deleteField('old').addString('fresh');
  await schema.update();
  const { fields } = await new Parse.Schema(name).get();
  assert.equal(fields.old, undefined);
  assert.equal(fields.fresh.type, 'String');
  const row = await new Parse.Query(name).first();
  assert.deepEqual([row.get('old'), row.get('kept')], [undefined, 'x']);
  await new Parse.Object(name, { old: 'now a text' }).save();
});

test('indexes', async () => {
  const name = className();
  const schema = new Parse.Schema(name);
  schema.addString('text').addIndex('by_text', { text: 1 });
  await schema.save();
  assert.deepEqual((await new Parse.Schema(name).get()).indexes.by_text, { text: 1 });
  const change = new Parse.Schema(name);
  change.deleteIndex('by_text');
  await change.update();
  assert.equal((await new Parse.Schema(name).get()).indexes?.by_text, undefined);
});

test('all classes, purging and deleting', async () => {
  const name = className();
  await Parse.Object.saveAll([1, 2, 3].map(n => new Parse.Object(name, { n })));
  assert.ok((await Parse.Schema.all()).some(schema => schema.className === name));
  await rejects(new Parse.Schema(name).delete(), 255, `Class ${name} is not empty, contains 3 objects, cannot drop schema.`);
  await new Parse.Schema(name).purge();
  assert.equal(await new Parse.Query(name).count(), 0);
  await new Parse.Schema(name).delete();
  await rejects(new Parse.Schema(name).get(), 103, `Class ${name} does not exist.`);
});

test('refusals', async () => {
  const name = className();
  const post = (body, options = asMaster) => request('POST', 'schemas', body, options);
  await post({ className: name, fields: {} });
  await rejects(post({ className: name, fields: {} }), 103, `Class ${name} already exists.`);
  await rejects(post({ className: 'bad-name' }), 103);
  await rejects(post({}), 135, 'POST /schemas needs a class name.');
  await rejects(post({ className: className(), fields: { a: { type: 'Nonsense' } } }), 111, 'invalid field type: Nonsense');
  await rejects(post({ className: className(), fields: { a: { type: 'Pointer' } } }), 135, 'type Pointer needs a class name');
  await rejects(post({ className: className(), fields: { objectId: { type: 'Number' } } }), 136, 'field objectId cannot be added');
  await assert.rejects(post({ className: className() }, {}), /unauthorized|denied/i);
});
