import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, ids, rejects, request, signUp, unique, useServer } from '../support.mjs';

useServer();

const post = (name, fields, options) => request('POST', `classes/${name}`, fields, options);
const find = (name, options) => request('GET', `classes/${name}`, {}, options);

/** A class with these permissions. */
async function classWith(permissions, fields = {}) {
  const name = `C${unique('').replaceAll('-', '')}`;
  await request('POST', `schemas/${name}`, { className: name, fields, classLevelPermissions: permissions }, asMaster);
  return name;
}

test('read and write of an ACL are two things', async () => {
  const [owner, reader] = [await signUp(), await signUp()];
  const acl = new Parse.ACL(owner);
  acl.setReadAccess(reader, true);
  const note = await new Parse.Object('Note', { ACL: acl }).save(null, as(owner));
  assert.equal((await new Parse.Query('Note').get(note.id, as(reader))).id, note.id);
  await rejects(request('PUT', `classes/Note/${note.id}`, { n: 1 }, as(reader)), 101);
  await rejects(new Parse.Query('Note').get(note.id), 101);
  assert.deepEqual(ids(await new Parse.Query('Note').find(as(owner))), [note.id]);
  assert.deepEqual(await new Parse.Query('Note').find(), []);
});

test('an empty ACL leaves the master key alone', async () => {
  const { objectId } = await post('Closed', { ACL: {} });
  await rejects(request('GET', `classes/Closed/${objectId}`), 101);
  assert.deepEqual((await request('GET', `classes/Closed/${objectId}`, {}, asMaster)).ACL, {});
});

test('an ACL can be taken away', async () => {
  const { objectId } = await post('Opened', { ACL: {} });
  await request('PUT', `classes/Opened/${objectId}`, { ACL: { '*': { read: true } } }, asMaster);
  assert.equal((await request('GET', `classes/Opened/${objectId}`)).objectId, objectId);
});

test('class permissions, operation by operation', async () => {
  const user = await signUp();
  const name = await classWith({ find: { '*': true }, get: {}, create: { requiresAuthentication: true }, update: { [user.id]: true }, delete: {}, addField: {}, count: {} }, { n: { type: 'Number' } });
  await rejects(post(name, { n: 1 }), 101, 'Permission denied');
  const { objectId } = await post(name, { n: 1 }, as(user));
  assert.equal((await find(name)).results.length, 1);
  await rejects(request('GET', `classes/${name}/${objectId}`), 119, 'Permission denied');
  await rejects(request('PUT', `classes/${name}/${objectId}`, { n: 2 }), 119, 'Permission denied');
  await request('PUT', `classes/${name}/${objectId}`, { n: 2 }, as(user));
  await rejects(request('PUT', `classes/${name}/${objectId}`, { fresh: 2 }, as(user)), 119, 'Permission denied');
  await rejects(request('DELETE', `classes/${name}/${objectId}`, {}, as(user)), 119, 'Permission denied');
  await request('DELETE', `classes/${name}/${objectId}`, {}, asMaster);
});

test('permissions of a role', async () => {
  const member = await signUp();
  const roleName = unique('role');
  const role = new Parse.Role(roleName, new Parse.ACL());
  role.getUsers().add(member);
  await role.save(null, asMaster);
  const name = await classWith({ find: { [`role:${roleName}`]: true }, create: { '*': true }, addField: { '*': true } });
  await post(name, { n: 1 });
  assert.equal((await find(name, as(member))).results.length, 1);
  await rejects(find(name), 119, 'Permission denied');
});

test('pointer permissions', async () => {
  const [owner, stranger] = [await signUp(), await signUp()];
  const name = await classWith(
    { find: { pointerFields: ['owner'] }, get: { pointerFields: ['owner'] }, update: { pointerFields: ['owner'] }, create: { '*': true } },
    { owner: { type: 'Pointer', targetClass: '_User' }, n: { type: 'Number' } },
  );
  const { objectId } = await post(name, { owner: owner.toPointer(), n: 1 });
  assert.equal((await find(name, as(owner))).results.length, 1);
  assert.equal((await find(name, as(stranger))).results.length, 0);
  await request('PUT', `classes/${name}/${objectId}`, { n: 2 }, as(owner));
  await rejects(request('PUT', `classes/${name}/${objectId}`, { n: 3 }, as(stranger)), 101);
});

test('protected fields', async () => {
  const user = await signUp();
  const name = await classWith({ find: { '*': true }, get: { '*': true }, create: { '*': true }, addField: { '*': true }, protectedFields: { '*': ['secret'], [user.id]: [] } }, { secret: { type: 'String' } });
  await post(name, { secret: 's', open: 'o' });
  const seen = async options => (await find(name, options)).results[0];
  assert.deepEqual([(await seen()).secret, (await seen()).open], [undefined, 'o']);
  assert.equal((await seen(as(user))).secret, 's');
  assert.equal((await seen(asMaster)).secret, 's');
  await rejects(request('GET', `classes/${name}`, { where: { secret: 's' } }), 119, 'Permission denied');
});
