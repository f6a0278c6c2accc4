import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, rejects, request, signUp, unique, useServer } from '../support.mjs';

useServer();

/** A role with these users and child roles, made with the master key. */
async function role(name, users = [], roles = []) {
  const acl = new Parse.ACL();
  acl.setPublicReadAccess(true);
  const made = new Parse.Role(name, acl);
  if (users.length > 0) made.getUsers().add(users);
  if (roles.length > 0) made.getRoles().add(roles);
  return made.save(null, asMaster);
}

/** An object that only this role may read and write. */
async function guarded(name) {
  const acl = new Parse.ACL();
  acl.setRoleReadAccess(name, true);
  acl.setRoleWriteAccess(name, true);
  return new Parse.Object('Guarded', { ACL: acl }).save(null, asMaster);
}

const canRead = async (object, user) => (await new Parse.Query('Guarded').equalTo('objectId', object.id).count(user ? as(user) : {})) === 1;

test('members may, others may not', async () => {
  const [member, stranger] = [await signUp(), await signUp()];
  const name = unique('role');
  await role(name, [member]);
  const object = await guarded(name);
  assert.deepEqual([await canRead(object, member), await canRead(object, stranger), await canRead(object)], [true, false, false]);
  await request('PUT', `classes/Guarded/${object.id}`, { n: 1 }, as(member));
  await rejects(request('PUT', `classes/Guarded/${object.id}`, { n: 2 }, as(stranger)), 101);
});

test('members of a child role inherit the parent’s access, however deep', async () => {
  const user = await signUp();
  const [top, middle, bottom] = ['top', 'middle', 'bottom'].map(unique);
  const low = await role(bottom, [user]);
  const mid = await role(middle, [], [low]);
  await role(top, [], [mid]);
  assert.equal(await canRead(await guarded(top), user), true);
  const boss = await signUp();
  await role(unique('boss'), [boss]);
  assert.equal(await canRead(await guarded(bottom), boss), false);
});

test('a circle of roles ends', async () => {
  const user = await signUp();
  const [one, two] = ['one', 'two'].map(unique);
  const first = await role(one, [user]);
  const second = await role(two, [], [first]);
  first.getRoles().add(second);
  await first.save(null, asMaster);
  assert.equal(await canRead(await guarded(two), user), true);
});

test('leaving a role takes effect at once', async () => {
  const user = await signUp();
  const name = unique('role');
  const made = await role(name, [user]);
  const object = await guarded(name);
  assert.equal(await canRead(object, user), true);
  made.getUsers().remove(user);
  await made.save(null, asMaster);
  assert.equal(await canRead(object, user), false);
});

test('what a role needs', async () => {
  const ACL = { '*': { read: true } };
  await rejects(request('POST', 'roles', { ACL }, asMaster), 111, 'name is required.');
  await rejects(request('POST', 'roles', { name: unique('role') }, asMaster), 111, 'ACL is required.');
  const name = unique('role');
  const made = await role(name);
  await rejects(request('POST', 'roles', { name, ACL }, asMaster), 137);
  await rejects(request('PUT', `roles/${made.id}`, { name: { __op: 'Delete' } }, asMaster), 111, 'name is required.');
  assert.throws(() => made.setName('other'));
});

test('a role is an object with an ACL', async () => {
  const stranger = await signUp();
  const made = await role(unique('role'));
  await rejects(request('PUT', `roles/${made.id}`, { note: 'x' }, as(stranger)), 101, 'Object not found.');
  assert.equal((await new Parse.Query(Parse.Role).get(made.id)).getName(), made.getName());
  await made.destroy(asMaster);
  await rejects(new Parse.Query(Parse.Role).get(made.id), 101);
});
