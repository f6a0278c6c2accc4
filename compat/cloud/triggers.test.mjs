// Triggers: what they see, and what is answered for what they change.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../lib/temp.mjs';
import { CloudProcess, program } from './support.mjs';

const DATES = { createdAt: '2024-05-06T07:08:09.010Z', updatedAt: '2024-05-06T07:08:10.010Z' };
let cloud;
before(async () => {
  cloud = await CloudProcess.start(program('triggers.js'), { answers: { rest: () => ({ body: { results: [], count: 4 } }) } });
});
after(() => cloud.stop());

const seen = async () => (await cloud.run('seen')).result;
const create = changes => cloud.trigger('beforeSave', { className: 'TbSave', changes });
const original = { objectId: 'abcdefghij', n: 1, list: [1], o: { a: 1 }, t: 'x', ...DATES };
const update = changes => cloud.trigger('beforeSave', { className: 'TbSave', original, changes });

test('beforeSave of a new object', async () => {
  await seen();
  const date = { __type: 'Date', iso: '2024-05-06T07:08:09.010Z' };
  assert.deepEqual(await create({ n: 1, d: date }), {});
  assert.deepEqual(await seen(), [
    {
      trigger: 'beforeSave', master: false, user: null, installationId: null, context: {}, object: { n: 1, d: date },
      original: null, isNew: true, existed: false, id: null, dirty: ['d', 'n'], className: 'TbSave',
    },
  ]);
});

for (const [how, expected] of [
  ['set', { changed: { added: 'yes', n: 30, when: { __type: 'Date', iso: '2025-01-01T00:00:00.000Z' }, to: { __type: 'Pointer', className: 'TbSave', objectId: 'abcdefghij' } } }],
  ['unset', { changed: { n: { __op: 'Delete' } } }],
  ['increment', { changed: { n: 8, list: { __op: 'Add', objects: ['a'] } } }],
  ['revert', { reverted: ['n'] }],
  ['acl', { changed: { ACL: {} } }],
  ['async', { changed: { late: true } }],
  ['badkey', { code: 105, message: 'Invalid key name: bad-key' }],
  ['context', { context: { fromBefore: 'b' } }],
  ['text', { code: 141, message: 'refused by text' }],
  ['error', { code: 141, message: 'refused by error' }],
  ['parse', { code: 1234, message: 'refused by code' }],
  ['notfound', { code: 101, message: 'refused as missing' }],
  ['reject', { code: 141, message: 'refused by promise' }],
  ['nothing', { code: 141, message: 'Script failed. Unknown error.' }],
]) {
  test(`beforeSave that does ${how}`, async () => assert.deepEqual(await create({ how, n: 3 }), expected));
}

test('beforeSave of a stored object', async () => {
  await seen();
  const changes = { n: { __op: 'Increment', amount: 3 }, list: { __op: 'Add', objects: [2] }, t: { __op: 'Delete' } };
  assert.deepEqual(await update(changes), {});
  const [call] = await seen();
  assert.deepEqual(call.object, { ...original, ...changes });
  assert.deepEqual(call.original, original);
  assert.deepEqual([call.isNew, call.existed, call.id, call.dirty], [false, true, 'abcdefghij', ['list', 'n', 't']]);
  // A part of a field that the handler leaves alone is written as it was sent.
  assert.deepEqual(await update({ how: 'none', 'o.b': 2 }), {});
  assert.deepEqual(await update({ how: 'revert', n: 8 }), { reverted: ['n'] });
  assert.deepEqual(await update({ how: 'increment' }), {
    changed: { n: { __op: 'Increment', amount: 5 }, list: { __op: 'Add', objects: ['a'] } },
  });
});

test('afterSave', async () => {
  const after = how => cloud.trigger('afterSave', { className: 'TbSave', object: { objectId: 'abcdefghij', n: 1, how, ...DATES } });
  await seen();
  assert.deepEqual(await after('x'), {});
  assert.equal((await seen())[0].existed, false);
  assert.deepEqual(await after('afterSet'), { changed: { afterwards: 1 } });
  assert.deepEqual(await after('afterReturn'), { response: { instead: true } });
  assert.deepEqual(await after('afterReturnObject'), { changed: { shown: 1 } });
  assert.deepEqual(await after('afterText'), {});
  assert.deepEqual(await after('afterThrow'), { code: 141, message: 'after' });
  assert.deepEqual(await after('afterReject'), { code: 1, message: 'after' });
});

test('validators of triggers', async () => {
  const valid = (payload, className = 'TbValid') => cloud.trigger('beforeSave', { className, ...payload });
  const refused = message => ({ code: 142, message });
  assert.deepEqual(await valid({ changes: { kind: 'plain' } }), refused('Validation failed. Please specify data for n.'));
  assert.deepEqual(await valid({ changes: { n: 'x' } }), refused('Validation failed. Invalid type for n. Expected: number'));
  assert.deepEqual(await valid({ changes: { n: 1 } }), { changed: { kind: 'plain', fixed: 'F' } });
  assert.deepEqual(await valid({ changes: { n: 1, kind: 'odd' } }), refused('Validation failed. Invalid option for kind. Expected: plain, fancy'));
  assert.deepEqual(await valid({ changes: { n: 1, fixed: 'mine' } }), { changed: { fixed: 'F', kind: 'plain' } });
  const stored = { objectId: 'abcdefghij', n: 1, kind: 'plain', fixed: 'F', ...DATES };
  assert.deepEqual(await valid({ original: stored, changes: { fixed: 'mine' } }), { reverted: ['fixed'] });
  assert.deepEqual(await valid({ changes: { kind: 'odd' }, master: true }), {});
  assert.deepEqual(await valid({ changes: {} }, 'TbUser'), refused('Validation failed. Please login to continue.'));
  assert.deepEqual(await valid({ changes: {}, user: { objectId: 'u' } }, 'TbUser'), { changed: { ran: true } });
  assert.deepEqual(await valid({ changes: {} }, 'TbSkip'), { changed: { ran: true } });
  assert.deepEqual(await valid({ changes: {}, master: true }, 'TbSkip'), {});
});

test('beforeFind', async () => {
  const query = { where: { n: { $gt: 0 } }, limit: 100, order: 'n' };
  const find = how => cloud.trigger('beforeFind', { className: 'TbFind', query, context: { how } });
  const answer = async how => {
    const { context, ...rest } = await find(how);
    return rest;
  };
  await seen();
  assert.deepEqual(await answer('x'), {});
  assert.deepEqual((await seen())[0].query, query);
  assert.deepEqual(await answer('narrow'), { query: { ...query, where: { n: { $gt: 2 } } } });
  assert.deepEqual(await answer('replace'), { query: { where: { n: 1 } } });
  assert.deepEqual(await answer('async'), { query: { where: { n: 2 } } });
  assert.deepEqual(await answer('limit'), { query: { ...query, limit: 1, skip: 1, order: '-n', keys: 'n' } });
  assert.deepEqual(await answer('objects'), { objects: [{ made: 'up', className: 'TbFind' }] });
  assert.deepEqual(await answer('one'), { objects: [{ made: 'one', className: 'TbFind' }] });
  assert.deepEqual(await answer('none'), { objects: [] });
  assert.deepEqual(await answer('throw'), { code: 141, message: 'no find' });
  assert.deepEqual(await answer('code'), { code: 4321, message: 'no find code' });
  assert.deepEqual((await find('context')).context, { how: 'context', fromFind: 'f' });
  assert.deepEqual(await cloud.trigger('beforeFind', { className: 'TbFindUser' }), { code: 142, message: 'Validation failed. Please login to continue.' });
});

test('afterFind', async () => {
  const objects = [1, 2, 3].map(n => ({ objectId: `abcdefghi${n}`, n, d: { __type: 'Date', iso: DATES.createdAt }, ...DATES }));
  const find = async how => {
    const { context, ...rest } = await cloud.trigger('afterFind', { className: 'TbAfter', objects, query: { where: {} }, context: { how } });
    return rest;
  };
  await seen();
  assert.deepEqual(await find('x'), {});
  assert.deepEqual((await seen())[0].keys, [
    'context', 'headers', 'ip', 'isGet', 'isReadOnly', 'log', 'master', 'object', 'objects', 'query', 'triggerName',
  ]);
  assert.deepEqual(await find('hide'), { objects: [0, 2] });
  assert.deepEqual(await find('afterAsync'), { objects: [0] });
  assert.deepEqual(await find('empty'), { objects: [] });
  assert.deepEqual((await find('change')).objects[1], [1, { extra: 3 }, []]);
  assert.deepEqual((await find('changeInPlace')).objects, [0, 1, 2].map(place => [place, { extra: 1 }, []]));
  assert.deepEqual((await find('plain')).objects[0], objects[0]);
  assert.deepEqual(await find('afterThrow'), { code: 141, message: 'hidden' });
});

test('users, sessions, configuration', async () => {
  const user = { objectId: 'u123456789', username: 'ann', email: 'a@example.com', ...DATES };
  await seen();
  assert.deepEqual(await cloud.trigger('beforeLogin', { className: '_User', object: user }), {});
  assert.deepEqual(await cloud.trigger('beforeLogin', { className: '_User', object: { ...user, banned: true } }), { code: 101, message: 'banned' });
  const loggedIn = { ...user, sessionToken: 'r:token' };
  assert.deepEqual(await cloud.trigger('afterLogin', { className: '_User', object: loggedIn, user: loggedIn }), {});
  const session = { objectId: 's', sessionToken: 'r:token', user: { __type: 'Pointer', className: '_User', objectId: 'u123456789' } };
  assert.deepEqual(await cloud.trigger('afterLogout', { className: '_Session', object: session }), {});
  const calls = await seen();
  assert.deepEqual(calls[2], {
    trigger: 'afterLogin', master: false, user: 'ann', installationId: null, context: {}, object: 'ann', token: 'string',
  });
  assert.deepEqual(calls[3].owner, 'set');
  assert.deepEqual(await cloud.trigger('beforeSave', { className: '@Config', object: { a: 1 } }), {});
  assert.deepEqual((await seen())[0], {
    trigger: 'beforeSave', master: false, user: null, installationId: null, context: {}, object: { a: 1 }, original: null,
  });
  assert.deepEqual(await cloud.trigger('beforeSave', { className: '@Config', object: { forbidden: true } }), { code: 141, message: 'config refused' });
});

test('registrations that are not allowed', async () => {
  const onlyUser = 'Only the _User class is allowed for the beforeLogin, afterLogin, and beforePasswordResetRequest triggers';
  const onlyLogout = 'Only the afterLogout trigger is allowed for the _Session class.';
  assert.deepEqual((await cloud.run('refusedTriggers')).result, [
    ['beforeSave _Session', onlyLogout],
    ['afterDelete _Session', onlyLogout],
    ['beforeSave _PushStatus', 'Only afterSave is allowed on _PushStatus'],
    ['afterSave _PushStatus', null],
    ['beforeLogin Other', onlyUser],
    ['afterLogin Other', onlyUser],
    ['afterLogout Other', 'Only the _Session class is allowed for the afterLogout trigger.'],
    ['beforePasswordResetRequest Other', onlyUser],
    ['beforeLogin _User by name', null],
    ['validator of beforeSave', 'nonsense is not a supported parameter for Cloud Function validations.'],
  ]);
});

/** A program in a folder where `parse` is this package. */
function withSdk(name, sdk) {
  const folder = tempDir();
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(fileURLToPath(new URL(`../node_modules/${sdk}`, import.meta.url)), path.join(folder, 'node_modules/parse'));
  fs.copyFileSync(program(name), path.join(folder, name));
  return path.join(folder, name);
}

for (const sdk of ['parse-1', 'parse-3', 'parse-5', 'parse']) test(`what afterFind does to objects of ${sdk}`, async t => {
  const finds = await CloudProcess.start(withSdk('after-find.js', sdk));
  t.after(() => finds.stop());
  assert.equal((await finds.run('sdk')).result, JSON.parse(fs.readFileSync(new URL(`../node_modules/${sdk}/package.json`, import.meta.url))).version);
  const pointer = { __type: 'Pointer', className: 'Other', objectId: 'o123456789' };
  const object = {
    objectId: 'abcdefghij', n: 1, list: [1, { a: 1 }], map: { a: { b: 1 } }, when: { __type: 'Date', iso: DATES.createdAt }, pointer,
    whole: { __type: 'Object', className: 'Other', objectId: 'o123456789', n: 1, ...DATES }, place: { __type: 'GeoPoint', latitude: 1, longitude: 2 },
    file: { __type: 'File', name: 'a.txt', url: 'http://localhost/a.txt' }, ACL: { '*': { read: true } }, bytes: { __type: 'Bytes', base64: 'AQ==' },
    relation: { __type: 'Relation', className: 'Other' }, none: null, ...DATES,
  };
  const find = async how => (await finds.trigger('afterFind', { className: 'Kinds', objects: [object], query: { where: {} }, context: { how } })).objects;
  // What is only looked at is as it was.
  for (const how of ['nothing', 'look', 'same']) assert.equal(await find(how), undefined, how);
  const changes = {
    set: [{ n: 2, extra: { __type: 'Date', iso: DATES.createdAt } }, []],
    operations: [{ n: 2, list: [1, { a: 1 }, 'x'] }, ['map']],
    list: [{ list: [1, { a: 2 }] }, []],
    map: [{ map: { a: { b: 1, c: 2 } } }, []],
    date: [{ when: { __type: 'Date', iso: '2000-01-01T00:00:00.000Z' } }, []],
    acl: [{ ACL: { '*': { read: true }, u: { write: true } } }, []],
    place: [{ place: { __type: 'GeoPoint', latitude: 5, longitude: 2 } }, []],
    pointer: [{ pointer: { ...pointer, objectId: 'p123456789' } }, []],
    dotted: [{ map: { a: { b: 7 } } }, []],
  };
  if (sdk === 'parse-1') {
    // It lets nobody set a dotted key.
    delete changes.dotted;
    assert.equal(await find('dotted'), undefined);
  }
  for (const [how, [changed, removed]] of Object.entries(changes)) assert.deepEqual(await find(how), [[0, changed, removed]], how);
  assert.deepEqual(await find('twice'), [0, 0]);
  assert.deepEqual(await find('nonsense'), [null, null, null, { a: 1 }]);
  // What it saves is what it changed, and nothing else.
  assert.deepEqual(await find('state'), [[0, { state: { dirty: false, keys: [], existed: true, afterwards: ['list', 'n'], save: { list: [1, { a: 1 }, 3], n: 9 } }, list: [1, { a: 1 }, 3], n: 9 }, []]]);
});
