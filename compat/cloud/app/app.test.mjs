// The app's clients: the same answers on reparse (both stores) and on parse-server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Parse from 'parse/node';
import { App, ended, master, refused, run as call, use } from './support.mjs';

let app;
const ann = {};
const ids = {};

before(async () => {
  app = await App.start();
  use(app);
});
after(() => app?.stop());

/** Calls a function as Ann, as somebody else, or (`null`) as nobody. */
const run = (name, params, who = ann) => call(name, params, who?.sessionToken);

test('an organisation signs up', async () => {
  assert.equal(await run('hello', {}, null), 'hello');
  await refused(run('signUpOrg', { name: 'Acme' }, null), 142, 'Validation failed. Please specify data for username.');
  await refused(run('signUpOrg', { name: 'Acme', username: 'an', password: 'x' }, null), 142, 'The name is too short.');
  Object.assign(ann, await run('signUpOrg', { name: 'Acme', username: 'ann', password: 'secret', email: 'Ann@Example.com' }, null));
  assert.match(ann.sessionToken, /^r:/);
  await refused(run('signUpOrg', { name: 'Acme', username: 'ann', password: 'x' }, null), 202, 'Account already exists for this username.');
  assert.deepEqual(await run('whoAmI'), { name: 'ann', plan: 'free', logins: 1, email: 'ann@example.com' });
  await refused(run('whoAmI', {}, null), 209, 'User is not authenticated.');
});

test('triggers guard users', async () => {
  const bob = new Parse.User({ username: ' bob', password: 'secret' });
  await refused(bob.signUp(), 142, 'Names have no spaces around them.');
  bob.set('username', 'bob');
  await bob.signUp();
  assert.equal(bob.get('plan'), 'free');
  bob.set('plan', 'gold');
  await refused(bob.save(null, { sessionToken: bob.getSessionToken() }), 141, 'Plans are changed by the office.');
  await bob.save({ plan: 'gold', banned: true, picture: 'https://pictures.example.com/bob.png' }, master);
  await refused(Parse.User.logIn('bob', 'secret'), 119, 'This account is closed.');
  await bob.save({ banned: false }, master);
  const again = await Parse.User.logIn('bob', 'secret');
  assert.equal((await run('whoAmI', {}, { sessionToken: again.getSessionToken() })).logins, 1);
  const read = await new Parse.Query(Parse.User).get(bob.id, master);
  assert.equal(read.get('pictureLink'), 'https://pictures.example.com/bob.png?size=small');
});

test('members of an organisation', async () => {
  await refused(run('addMember', { username: 'nobody' }), 101, 'Nobody has this name.');
  await refused(run('addMember', {}), 142, 'Validation failed. Please specify data for username.');
  const member = await run('addMember', { username: 'bob' });
  assert.ok(member instanceof Parse.Object);
  assert.equal(member.className, 'Member');
  assert.deepEqual(await run('listMembers'), [{ name: 'ann', owner: true }, { name: 'bob', owner: false }]);
  await refused(run('listMembers', {}, null), 142, 'Validation failed. Please login to continue.');
});

test('contacts', async () => {
  const contact = await run('saveContact', { name: 'Zoe', email: '  Zoe@Example.com ' });
  assert.ok(contact instanceof Parse.Object);
  assert.equal(contact.get('email'), 'zoe@example.com');
  ids.zoe = contact.id;
  await refused(run('saveContact', { name: 'Zoe 2', email: 'zoe@example.com' }), 137, 'Contact already exists.');
  await refused(run('saveContact', { name: 'Nul', email: 'nowhere' }), 142, 'This is no mail address.');
  assert.deepEqual(await run('batchContacts', { contacts: [{ name: 'Yan', email: 'yan@example.com' }, { name: 'Bad', email: 'bad' }, { name: 'Xia', email: 'xia@example.com' }] }), { success: 2, failed: 1 });
  await refused(run('batchContacts', { contacts: 'none' }), 142, 'Validation failed. Invalid type for contacts. Expected: array');
  assert.deepEqual(await run('getContacts'), ['Xia <xia@example.com>', 'Yan <yan@example.com>', 'Zoe <zoe@example.com>']);
  assert.deepEqual(await run('getContacts', { search: 'Y' }), ['Yan <yan@example.com>']);
  const xia = await new Parse.Query('Contact').equalTo('name', 'Xia').first(master);
  assert.deepEqual(await run('editContact', { id: xia.id, email: 'XIA@example.org' }), { id: xia.id, name: 'Xia', email: 'xia@example.org' });
  await refused(run('editContact', { id: xia.id, email: 'yan@example.com' }), 137, 'Contact already exists.');
  const org = await new Parse.Query('Org').get(ann.org, master);
  assert.equal(org.get('contacts'), 3);
  assert.equal(await run('removeContact', { id: xia.id }), true);
  assert.equal((await org.fetch(master)).get('contacts'), 2);
  await refused(run('removeContact', { id: xia.id }), 101, 'Object not found.');
  const stranger = await new Parse.User({ username: 'stranger', password: 'secret' }).signUp();
  await refused(run('removeContact', { id: ids.zoe }, { sessionToken: stranger.getSessionToken() }), 101, 'Object not found.');
  await refused(run('getContacts', {}, { sessionToken: 'r:none' }), 209, 'Invalid session token');
  assert.deepEqual(await run('getContacts', {}, { sessionToken: stranger.getSessionToken() }), []);
});

test('documents are made, sent and signed', async () => {
  await refused(run('createDocument', {}), 142, 'A document needs a title.');
  const made = await run('createDocument', { title: 'The Lease, 2026', url: 'https://files.example.com/lease.pdf?old=1', signers: [ids.zoe] });
  ids.lease = made.id;
  assert.deepEqual(made, { id: made.id, number: 1, status: 'draft', slug: 'the-lease-2026' });
  const document = await run('getDocument', { id: made.id });
  assert.ok(document instanceof Parse.Object);
  const link = new URL(document.get('url'));
  assert.deepEqual([link.pathname, link.searchParams.get('until'), link.searchParams.get('signature').length], ['/lease.pdf', '2000000000', 32]);
  assert.equal(document.get('signers')[0].get('name'), 'Zoe');
  const stored = await app.server.request('GET', `/classes/Document/${made.id}`, { master: true });
  assert.match(stored.body.url, /signature=/);
  assert.deepEqual(await run('sendDocument', { id: made.id }), ['zoe@example.com']);
  await refused(run('signDocument', { id: made.id, contact: 'somebody' }, null), 119, 'You are not asked to sign.');
  assert.deepEqual(await run('signDocument', { id: made.id, contact: ids.zoe }, null), { status: 'signed', left: 0 });
  await refused(run('declineDocument', { id: made.id }, null), 141, 'A document that is signed cannot be declined.');
  const signed = await new Parse.Query('Document').get(made.id, master);
  assert.ok(signed.get('signedAt') instanceof Date);
  await refused(signed.save({ title: 'Another' }, master), 141, 'Signed documents keep their title.');
  signed.revert();
  await refused(signed.destroy(master), 119, 'Signed documents cannot be deleted.');
  await signed.save({ number: 99 }, master);
  assert.equal((await new Parse.Query('Document').get(made.id, master)).get('number'), 1);
  const history = await run('history', { id: made.id }, null);
  assert.deepEqual(history.slice(0, 3), ['created - draft', 'changed draft sent', 'changed sent sent']);
  assert.ok(history.includes('changed sent signed'), history.join());
});

test('more that is done with documents', async () => {
  const copy = await run('duplicateDocument', { id: ids.lease });
  assert.deepEqual(copy, { title: 'The Lease, 2026 (copy)', number: 2, signers: 1 });
  const plain = await run('createDocument', { title: 'Plain' });
  await refused(run('sendDocument', { id: plain.id }), 141, 'Nobody is asked to sign.');
  assert.deepEqual(await run('declineDocument', { id: plain.id }, null), { status: 'declined', reason: 'no reason given' });
  await run('archiveDocument', { id: plain.id });
  const titles = async params => (await run('listDocuments', params)).map(document => document.title);
  assert.deepEqual(await titles(), ['The Lease, 2026', 'The Lease, 2026 (copy)']);
  assert.deepEqual(await titles({ all: true }), ['The Lease, 2026', 'The Lease, 2026 (copy)', 'Plain']);
  assert.deepEqual(await titles({ status: 'draft' }), ['The Lease, 2026 (copy)']);
  assert.deepEqual(await titles({ skip: 1, limit: 1 }), ['The Lease, 2026 (copy)']);
  const draft = await new Parse.Query('Document').equalTo('number', 2).first(master);
  await draft.destroy({ sessionToken: ann.sessionToken });
  assert.deepEqual((await run('history', { id: draft.id }, null)).at(-1), 'deleted');
  await refused(run('forwardDocument', { id: ids.lease, to: ['a@x.y', 'b@x.y', 'c@x.y', 'd@x.y'] }), 102, 'Forward to three people at most.');
  const link = await run('signedUrl', { url: 'https://files.example.com/a.pdf', until: 1 }, null);
  assert.match(link, /^https:\/\/files\.example\.com\/a\.pdf\?until=1&signature=[0-9a-f]{32}$/);
  await refused(run('signedUrl', { url: 5 }, null), 142, 'Validation failed. Invalid type for url. Expected: string');
});

test('templates', async () => {
  await refused(run('saveTemplate', { name: 'T', body: 'x' }, null), 209, 'User is not authenticated.');
  await refused(run('saveTemplate', { body: 'x' }), 142, 'Validation failed. Please specify data for name.');
  await refused(run('saveTemplate', { name: 'T', kind: 'poem', body: 'x' }), 142, 'Validation failed. Invalid option for kind. Expected: letter, contract');
  const made = await run('saveTemplate', { name: 'Greeting', body: 'Dear {name}, your number is {number}.' });
  assert.deepEqual(made, { id: made.id, kind: 'letter', fields: ['name', 'number'] });
  assert.equal(await run('fillTemplate', { id: made.id, values: 'name: Zoe\nnumber: 7\n' }), 'Dear Zoe, your number is 7.');
  await refused(run('fillTemplate', { id: made.id, values: 'name: Zoe' }), 142, 'Missing: number');
  assert.equal((await run('saveAsTemplate', { id: ids.lease })).kind, 'letter');
});

test('reports', async () => {
  assert.deepEqual(await run('report', { kind: 'done' }), [{ title: 'The Lease, 2026', status: 'signed' }, { title: 'Plain', status: 'declined' }]);
  await refused(run('report', { kind: 'all' }), 404, 'Report is not available!');
  assert.deepEqual(await run('statistics'), { declined: 1, signed: 1 });
});

test('functions that answer as in Express', async () => {
  const version = await app.server.request('POST', '/functions/api', { json: { path: '/version' } });
  assert.deepEqual([version.status, version.body, version.headers['x-app']], [200, { result: { version: 3 } }, 'signatures']);
  const made = await app.server.request('POST', '/functions/api', { session: ann.sessionToken, json: { method: 'POST', path: '/contacts', body: { name: 'Wim', email: 'wim@example.com' } } });
  assert.deepEqual([made.status, made.body], [201, { result: { made: 'Wim' } }]);
  await refused(run('api', { method: 'POST', path: '/contacts' }, null), 4010, 'Sign in first.');
  await refused(run('api', { path: '/nothing' }, null), 4040, 'No route GET /nothing');
});

test('jobs', async () => {
  const lease = await run('createDocument', { title: 'Old', signers: [ids.zoe], expiry: new Date('2020-01-01T00:00:00.000Z') });
  await run('sendDocument', { id: lease.id });
  const expired = await ended(await Parse.Cloud.startJob('expireDocuments', {}));
  assert.deepEqual([expired.get('status'), expired.get('message'), expired.get('jobName')], ['succeeded', '1 expired', 'expireDocuments']);
  const imported = await ended(await Parse.Cloud.startJob('import', { rows: [{ n: 1 }, { n: 2 }] }));
  assert.equal(imported.get('message'), '2 imported');
  const failed = await ended(await Parse.Cloud.startJob('import', {}));
  assert.deepEqual([failed.get('status'), failed.get('message')], ['failed', 'There is nothing to import.']);
  const reminded = await ended(await Parse.Cloud.startJob('remind', {}));
  assert.equal(reminded.get('status'), 'succeeded');
  const data = await Parse.Cloud.getJobsData();
  assert.deepEqual([...data.jobs].sort(), ['expireDocuments', 'import', 'remind']);
  await refused(Parse.Cloud.startJob('none', {}), 141, 'Invalid job.');
});

test('a log out is noted', async () => {
  const user = await Parse.User.logIn('bob', 'secret');
  await app.server.request('POST', '/logout', { session: user.getSessionToken() });
  const note = await new Parse.Query('Audit').equalTo('event', 'logout').first(master);
  assert.equal(note.get('user'), user.id);
});
