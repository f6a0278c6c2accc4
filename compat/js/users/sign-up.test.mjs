import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, forgetUser, rejects, request, signUp, unique, useServer } from '../support.mjs';

useServer();

test('signs a user up and logs them in', async () => {
  const user = new Parse.User();
  user.set('username', unique());
  user.set('password', 'secret');
  user.set('nickname', 'Al');
  await user.signUp();
  assert.match(user.id, /^[A-Za-z0-9]{10}$/);
  assert.match(user.getSessionToken(), /^r:[0-9a-f]{32}$/);
  assert.ok(user.createdAt instanceof Date);
  assert.equal(user.authenticated(), true);
  assert.equal(Parse.User.current().id, user.id);
  assert.equal(user.get('password'), undefined);
  const seen = await new Parse.Query(Parse.User).get(user.id);
  assert.equal(seen.get('nickname'), 'Al');
  assert.equal(seen.get('password'), undefined);
});

test('Parse.User.signUp with attributes', async () => {
  const name = unique();
  const user = await Parse.User.signUp(name, 'secret', { email: `${name}@example.com`, age: 7 });
  const me = await Parse.User.me(user.getSessionToken());
  assert.equal(me.get('username'), name);
  assert.equal(me.get('email'), `${name}@example.com`);
  assert.equal(me.get('age'), 7);
  assert.equal(me.get('password'), undefined);
});

test('a new user is private', async () => {
  const user = await signUp({ nickname: 'hidden' });
  const stranger = await signUp();
  const query = new Parse.Query(Parse.User);
  await rejects(query.get(user.id), 101, 'Object not found.');
  await rejects(query.get(user.id, as(stranger)), 101, 'Object not found.');
  assert.equal((await query.get(user.id, as(user))).get('nickname'), 'hidden');
  const acl = (await query.get(user.id, asMaster)).getACL();
  assert.deepEqual(acl.toJSON(), { [user.id]: { read: true, write: true } });
});

test('an ACL given at sign up keeps the own entry', async () => {
  const acl = new Parse.ACL();
  acl.setPublicReadAccess(true);
  const user = await signUp({ ACL: acl });
  const seen = await new Parse.Query(Parse.User).get(user.id);
  assert.deepEqual(seen.getACL().toJSON(), { '*': { read: true }, [user.id]: { read: true, write: true } });
});

test('the e-mail address is shown to its owner and to the master key only', async () => {
  const acl = new Parse.ACL();
  acl.setPublicReadAccess(true);
  const email = `${unique()}@example.com`;
  const user = await signUp({ email, ACL: acl });
  const stranger = await signUp();
  const query = new Parse.Query(Parse.User);
  assert.equal((await query.get(user.id)).get('email'), undefined);
  assert.equal((await query.get(user.id, as(stranger))).get('email'), undefined);
  assert.equal((await query.get(user.id, as(user))).get('email'), email);
  assert.equal((await query.get(user.id, asMaster)).get('email'), email);
  await rejects(new Parse.Query(Parse.User).equalTo('email', email).find(as(stranger)), 119, 'Permission denied');
});

test('names and addresses are unique whatever their case', async () => {
  const name = unique('Élan');
  const email = `${unique('mail')}@example.com`;
  await signUp({ username: name, email });
  const again = fields => signUp(fields);
  await rejects(again({ username: name }), 202, 'Account already exists for this username.');
  await rejects(again({ username: name.toUpperCase() }), 202, 'Account already exists for this username.');
  await rejects(again({ email }), 203, 'Account already exists for this email address.');
  await rejects(again({ email: email.toUpperCase() }), 203, 'Account already exists for this email address.');
  await rejects(again({ username: name, email }), 202);
});

// the collation en_US at strength 2: case and width do not count, accents and ligatures do
for (const [taken, other, equal] of [
  ['straße', 'STRASSE', false],
  ['resume', 'résumé', false],
  ['caf\u00e9', 'cafe\u0301', true],
  ['width', 'ｗｉｄｔｈ', true],
  ['istanbul', 'İSTANBUL', false],
  ['ISTANBUL', 'ıstanbul', false],
  ['σοφός', 'ΣΟΦΌΣ', true],
]) {
  test(`${taken} and ${other} are ${equal ? 'the same name' : 'two names'}`, async () => {
    const ending = unique('');
    await signUp({ username: taken + ending });
    const second = signUp({ username: other + ending });
    await (equal ? rejects(second, 202) : second);
  });
}

test('what the server says of bad sign ups', async () => {
  const post = body => request('POST', 'users', body);
  await rejects(post({ password: 'x' }), 200, 'bad or missing username');
  await rejects(post({ username: '', password: 'x' }), 200, 'bad or missing username');
  await rejects(post({ username: 42, password: 'x' }), 200, 'bad or missing username');
  await rejects(post({ username: unique() }), 201, 'password is required');
  await rejects(post({ username: unique(), password: '' }), 201, 'password is required');
  await rejects(post({ username: unique(), password: 'x', email: 'nonsense' }), 125, 'Email address format is invalid.');
  await rejects(post({ username: unique(), password: 'x', emailVerified: true }), 119, 'Permission denied');
  await rejects(post({ username: unique(), password: 'x', authData: null }), 252, 'This authentication method is unsupported.');
  await rejects(post({ username: unique(), password: 'x', 'bad field': 1 }), 105);
  await rejects(post({ username: unique(), password: 'x', objectId: 'mine' }), 105);
});

test('the SDK itself refuses empty names and passwords', async () => {
  await rejects(Parse.User.signUp('', 'x'), -1);
  await rejects(Parse.User.signUp(unique(), ''), -1);
});

test('signing up again with a signed-up user is refused by the server', async () => {
  const user = await signUp();
  user.set('username', unique());
  user.set('password', 'x');
  await rejects(user.signUp(), 206);
  await forgetUser();
});
