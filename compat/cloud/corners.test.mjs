// Corners that the recorded transcripts do not reach: how jobs end, validators that do not count, values that are undefined, web hooks
// by the carried SDK.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CloudProcess, program } from './support.mjs';

const asked = [];
let cloud;
before(async () => {
  const rest = ({ method, path, auth }, body) => {
    asked.push([method, path, auth.useMasterKey, body.length > 0 ? JSON.parse(body) : {}]);
    return { body: {} };
  };
  cloud = await CloudProcess.start(program('corners.js'), { answers: { rest, jobMessage: () => {} } });
});
after(() => cloud.stop());

test('a job that ends without a text keeps its last message', async () => {
  const job = name => cloud.call('job', name, { params: {}, jobId: 'j' }).catch(({ code, message }) => ({ code, message }));
  assert.deepEqual(await job('told'), { message: 'two' });
  assert.deepEqual(await job('number'), { message: 'last' });
  assert.deepEqual(await job('nothing'), { code: 141, message: 'last' });
  assert.deepEqual(await job('text'), { message: 'done' });
  assert.deepEqual(await job('error'), { code: 141, message: 'failed' });
});

test('a function without a handler can be registered', async () => {
  assert.ok('empty' in cloud.registrations.functions);
  assert.equal((await cloud.run('empty')).code, 141);
});

test('of a validator of a log in, or of a reset, the rate limit alone counts', async () => {
  const object = { objectId: 'abcdefghij', username: 'ann' };
  for (const type of ['beforeLogin', 'beforePasswordResetRequest']) {
    assert.deepEqual(await cloud.trigger(type, { className: '_User', object }), { code: 141, message: 'called' });
  }
});

test('undefined is not written', async () => {
  const save = payload => cloud.trigger('beforeSave', { className: 'Undefined', ...payload });
  assert.deepEqual(await save({ changes: { n: 1 } }), { reverted: ['n'] });
  const original = { objectId: 'abcdefghij', n: 1, createdAt: '2024-05-06T07:08:09.010Z', updatedAt: '2024-05-06T07:08:09.010Z' };
  assert.deepEqual(await save({ original, changes: { n: 2 } }), { changed: { n: null } });
});

test('find triggers of files have a log', async () => {
  const file = { className: '@File', file: { name: 'a.txt' } };
  assert.deepEqual(await cloud.trigger('beforeFind', file), {});
  assert.equal(cloud.logged('find true true').length, 1);
  assert.deepEqual(await cloud.trigger('afterFind', file), {});
  assert.equal(cloud.logged('found').length, 1);
});

test('web hooks by the carried SDK', async () => {
  assert.deepEqual(await cloud.run('hooks'), { result: 143 });
  assert.deepEqual(asked, [
    ['POST', 'hooks/functions', true, { functionName: 'far', url: 'http://far/a' }],
    ['POST', 'hooks/triggers', true, { className: 'Far', triggerName: 'beforeSave', url: 'http://far/b' }],
    ['PUT', 'hooks/functions/far', true, { url: 'http://far/c' }],
    ['GET', 'hooks/functions', true, {}],
    ['GET', 'hooks/triggers/Far/beforeSave', true, {}],
    ['PUT', 'hooks/functions/far', true, { __op: 'Delete' }],
    ['PUT', 'hooks/triggers/Far/beforeSave', true, { __op: 'Delete' }],
  ]);
});
