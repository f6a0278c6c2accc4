// Functions: results, errors, validators, the response object, jobs. The program is that of the recorded transcripts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CloudProcess, program } from './support.mjs';

const MISSING = { code: 101, message: 'Object not found.' };
const messages = [];
const roles = { u1: ['FnAdmin'], u2: ['FnAdmin', 'FnEditor'] };
const rows = new Map();
let cloud;

/** A store that knows creation and queries by equality. */
function rest({ method, path, auth }, body) {
  const [, className, id] = path.split('/');
  const data = body.length > 0 ? JSON.parse(body) : {};
  if (!auth.useMasterKey) return { status: 403, body: { error: 'unauthorized' } };
  if (method === 'POST') {
    const objectId = `id${rows.size}`.padEnd(10, '0');
    const createdAt = '2024-05-06T07:08:09.010Z';
    rows.set(objectId, { className, ...data, objectId, createdAt, updatedAt: createdAt });
    return { status: 201, body: { objectId, createdAt } };
  }
  const results = [...rows.values()].filter(row => row.className === className && (!data.where?.objectId || row.objectId === data.where.objectId));
  return { body: id ? results[0] : { results, count: results.length } };
}

before(async () => {
  cloud = await CloudProcess.start(program('functions.js'), {
    answers: { rest, userRoles: ({ user }) => roles[user] ?? [], jobMessage: message => void messages.push(message) },
  });
});
after(() => cloud.stop());

const user = (objectId, more) => ({ user: { objectId, username: 'ann', sessionToken: 'r:token', ...more } });

test('results keep their types', async () => {
  assert.deepEqual(await cloud.run('hello'), { result: 'world' });
  assert.deepEqual(await cloud.run('nothing'), {});
  assert.deepEqual(await cloud.run('nullResult'), { result: null });
  const { result } = await cloud.run('typedResults');
  assert.deepEqual(result.date, { __type: 'Date', iso: '2024-05-06T07:08:09.010Z' });
  assert.equal(result.saved.__type, 'Object');
  assert.equal(result.saved.n, 1);
  assert.equal(result.dirty.__type, 'Pointer');
  assert.equal(result.parent.child.__type, 'Object');
  assert.deepEqual(result.pointer, { __type: 'Pointer', className: 'FnThing', objectId: 'abcdefghij' });
  assert.deepEqual(result.geo, { __type: 'GeoPoint', latitude: 1, longitude: 2 });
  assert.deepEqual(result.nested, { when: { __type: 'Date', iso: '1970-01-01T00:00:00.000Z' } });
  assert.equal(result.nan, null);
  assert.ok(!('undef' in result));
});

test('parameters are decoded at any depth', async () => {
  const date = { __type: 'Date', iso: '2024-05-06T07:08:09.010Z' };
  const pointer = { __type: 'Pointer', className: 'FnThing', objectId: 'abcdefghij' };
  const geo = { __type: 'GeoPoint', latitude: 1, longitude: 2 };
  const file = { __type: 'File', name: 'a.txt', url: 'http://example.com/a.txt' };
  const { result } = await cloud.run('kinds', { date, list: [date, { pointer }], geo, file, z: null });
  assert.deepEqual(result, {
    date: 'Date:2024-05-06T07:08:09.010Z',
    list: ['Date:2024-05-06T07:08:09.010Z', { pointer: 'Object:FnThing:abcdefghij' }],
    geo: { __type: 'string', latitude: 'number', longitude: 'number' },
    file: 'File:a.txt',
    z: 'null',
  });
  const sent = { date, geo, file, pointer, list: [1, [2]] };
  assert.deepEqual(await cloud.run('echo', structuredClone(sent)), { result: sent });
});

test('a prototype in the parameters stays a value', async () => {
  const payload = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}');
  const { result } = await cloud.run('echo', payload);
  assert.equal(result.polluted, undefined);
  assert.deepEqual(await cloud.run('hello'), { result: 'world' });
});

for (const [name, expected, parameters] of [
  ['failText', { code: 141, message: 'just text' }],
  ['failError', { code: 141, message: 'an error' }],
  ['failParse', { code: 777, message: 'parse error' }],
  ['failNothing', { code: 141, message: 'Script failed.' }],
  ['failObject', { code: 141, message: 'from object' }],
  ['failReject', { code: 101, message: 'gone' }],
  ['failInner', MISSING],
  ['failParse', { code: 1, message: 'parse error' }, { code: 1 }],
  ['resError', { code: 141, message: 'via res' }],
  ['resParseError', { code: 4711, message: 'coded via res' }],
  ['resErrorStatus', { code: 141, message: 'teapot' }],
  ['resThrow', { code: 141, message: 'thrown beside res' }],
  ['constructor', { code: 141, message: 'Invalid function: "constructor"' }],
  ['__proto__', { code: 141, message: 'Invalid function: "__proto__"' }],
]) {
  test(`error of ${name}`, async () => assert.deepEqual(await cloud.run(name, parameters), expected));
}

test('a response object answers once', async () => {
  assert.deepEqual(await cloud.run('resSuccess'), { result: { via: 'res' } });
  assert.deepEqual(await cloud.run('resReturn'), { result: 'returned' });
  assert.deepEqual(await cloud.run('resAsync'), { result: 1 });
  assert.deepEqual(await cloud.run('resStatus'), { result: 'accepted', status: 202, headers: { 'X-Test-Out': 'yes' } });
  assert.deepEqual(await cloud.run('resTwice'), { result: 'first' });
  assert.match((await cloud.run('resTwiceText')).result, /^Cannot call success\(\) after response has already been sent\./);
});

test('a request has all its keys', async () => {
  const { result } = await cloud.run('about', {}, { ...user('u1'), headers: { 'x-test-mark': 'm' }, ip: '127.0.0.1', installationId: 'i' });
  assert.deepEqual(result.keys, ['context', 'functionName', 'headers', 'installationId', 'ip', 'isReadOnly', 'log', 'master', 'params', 'user']);
  assert.deepEqual(result.user, { id: 'u1', name: 'ann', token: 'string', isUser: true });
  assert.equal(result.mark, 'm');
  assert.deepEqual((await cloud.run('about')).result.user, null);
});

const LOGIN = 'Validation failed. Please login to continue.';
const KEYS = 'Please login to make this request.';
const refused = message => ({ code: 142, message });
const valid = { result: 'valid' };
for (const [name, expected, parameters, caller] of [
  ['vFunction', refused('validator said no')],
  ['vFunction', valid, { pass: 'yes' }],
  ['vFunction', refused('validator said no'), {}, { master: true }],
  ['vFunctionParse', { code: 999, message: 'validator code' }],
  ['vFunctionEmpty', refused('Validation failed.')],
  ['vFunctionFalse', valid],
  ['vUser', refused(LOGIN)],
  ['vUser', valid, {}, { master: true }],
  ['vUser', valid, {}, user('u1')],
  ['vMaster', refused('Validation failed. Master key is required to complete this request.')],
  ['vMaster', valid, {}, { master: true }],
  ['vUserEvenMaster', refused(LOGIN), {}, { master: true }],
  ['vSkipMaster', valid, {}, { master: true }],
  ['vFieldList', refused('Validation failed. Please specify data for a.')],
  ['vFieldList', refused('Validation failed. Please specify data for b.'), { a: 0, b: null }],
  ['vFieldList', valid, { a: 0, b: '' }],
  ['vTypes', refused('Validation failed. Please specify data for text.')],
  ['vTypes', refused('Validation failed. Invalid type for text. Expected: string'), { text: 1 }],
  ['vTypes', refused('Validation failed. Invalid type for list. Expected: array'), { text: 't', list: {} }],
  ['vTypes', refused('Validation failed. Invalid type for obj. Expected: object'), { text: 't', obj: [] }],
  ['vTypes', refused('Validation failed. Invalid type for date. Expected: date'), { text: 't', date: { __type: 'Date', iso: '2024-05-06T07:08:09.010Z' } }],
  ['vTypes', refused('Validation failed. Invalid option for pick. Expected: x, y'), { text: 't', pick: 'z' }],
  ['vTypes', refused('Validation failed. Invalid option for one. Expected: only'), { text: 't', one: 'other' }],
  ['vTypes', refused('must be above ten'), { text: 't', fn: 10 }],
  ['vTypes', refused('thrown in options'), { text: 't', fnThrow: 2 }],
  ['vTypes', refused('own text'), { text: 't', own: 'r' }],
  ['vTypes', { result: { text: 't', pick: 'x', withDefault: 5, constant: 3 } }, { text: 't', pick: 'x' }],
  ['vTypes', { result: { text: 't', constant: 9, withDefault: 5 } }, { text: 't', constant: 9 }],
  ['vAnyRole', refused(LOGIN)],
  ['vAnyRole', valid, {}, user('u1')],
  ['vAnyRole', refused('Validation failed. User does not match the required roles.'), {}, user('u3')],
  ['vAllRoles', refused('Validation failed. User does not match all the required roles.'), {}, user('u1')],
  ['vAllRoles', valid, {}, user('u2')],
  ['vRoleFunction', valid, {}, user('u1')],
  ['vUserKeys', refused(KEYS)],
  ['vUserKeys', refused('Validation failed. Please set data for team on your account.'), {}, user('u1')],
  ['vUserKeys', valid, {}, user('u1', { team: 'green' })],
  ['vUserKeyValues', refused('wrong team'), {}, user('u1', { team: 'green' })],
  ['vUserKeyValues', valid, {}, user('u1', { team: 'red' })],
]) {
  test(`validator ${name} ${JSON.stringify(parameters ?? {})} ${JSON.stringify(caller ?? {})}`, async () => {
    assert.deepEqual(await cloud.run(name, parameters, caller), expected);
  });
}

test('validators that cannot work are refused', async () => {
  assert.deepEqual((await cloud.run('refusedValidators')).result, [
    ['UnknownKey', 'nonsense is not a supported parameter for Cloud Function validations.'],
    ['WrongType', 'Invalid type for Cloud Function validation key requireUser. Expected boolean, actual string'],
    ['WrongFieldKey', 'nonsense is not a supported parameter for Cloud Function validations.'],
    ['WrongFieldType', 'Invalid type for Cloud Function validation key required. Expected boolean, actual string'],
    ['Roles', 'Invalid type for Cloud Function validation key requireAnyUserRoles. Expected array|function, actual string'],
  ]);
});

test('what is registered later is told before the answer', async () => {
  assert.match((await cloud.run('makeLimited')).result, /Invalid rate limit option "nonsense"/);
  const told = cloud.notes.filter(note => note.kind === 'registrations').at(-1).payload;
  assert.equal(told.functions.vLimited.rateLimit.requestCount, 2);
  assert.equal(told.triggers.beforeFind.FnLimited.rateLimit.requestCount, 1);
});

test('jobs', async () => {
  const job = (name, params) => cloud.call('job', name, { params, jobId: 'j1' }).catch(({ code, message }) => ({ code, message }));
  assert.deepEqual(await job('jobPlain', { a: 1 }), { message: 'finished with {"a":1}' });
  assert.deepEqual(messages, [{ job: 'j1', message: 'working' }]);
  assert.deepEqual(await job('jobSilent', {}), {});
  assert.deepEqual(await job('jobThrows', {}), { code: 141, message: 'job failed' });
  assert.deepEqual(await job('jobError', {}), { code: 141, message: 'job error' });
  const { message } = await job('jobAbout', { p: { __type: 'Date', iso: '2024-05-06T07:08:09.010Z' } });
  assert.deepEqual(JSON.parse(message), {
    keys: ['config', 'headers', 'ip', 'jobId', 'jobName', 'log', 'message', 'params'],
    jobName: 'jobAbout', id: 'string', params: { p: '2024-05-06T07:08:09.010Z' }, user: null, master: null,
  });
});

test('the globals of main.js', async () => {
  const { result } = await cloud.run('globals');
  assert.deepEqual(result, {
    parse: 'object', same: true, appId: 'app', masterKey: 'string', cloud: [],
    server: { appId: 'app', zones: { global: 'global', session: 'session', user: 'user', ip: 'ip' } },
    errors: { SCRIPT_FAILED: 141, VALIDATION_ERROR: 142 },
  });
});
