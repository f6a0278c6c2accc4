// The process itself: loading, modules of both kinds, the carried SDK, logs, values that have no JSON form.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { CloudProcess, program } from './support.mjs';

const folder = await mkdtemp(path.join(tmpdir(), 'reparse-cloud-programs-'));
after(() => rm(folder, { recursive: true, force: true }));

async function write(name, text) {
  const file = path.join(folder, name);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

/** Starts a program, hands the process to a function, stops it. */
async function using(main, work, options) {
  const cloud = await CloudProcess.start(main, options);
  try {
    await work(cloud);
  } finally {
    await cloud.stop();
  }
}

test('an ES module with imports and top-level await', () =>
  using(program('esm/main.js'), async cloud => {
    assert.deepEqual(await cloud.run('esmHello'), { result: 'ready' });
    assert.deepEqual(await cloud.run('esmImport', { n: 4 }), { result: 8 });
    assert.deepEqual(await cloud.run('esmGlobals'), { result: { require: 'undefined', parse: 'object', url: 'string' } });
    assert.deepEqual(await cloud.trigger('beforeSave', { className: 'EsmThing', changes: { n: 3 } }), { changed: { n: 6 } });
  }));

test('npm says that the package is an ES module', () =>
  using(program('esm/main.js'), async cloud => assert.deepEqual(await cloud.run('esmHello'), { result: 'ready' }), {
    env: { npm_package_type: 'module' },
  }));

test('an .mjs file', async () => {
  const main = await write('main.mjs', "Parse.Cloud.define('where', () => import.meta.url.slice(-8));");
  await using(main, async cloud => assert.deepEqual(await cloud.run('where'), { result: 'main.mjs' }));
});

for (const [text, expected] of [
  ["throw new Error('at load');", /at load/],
  ['const x = ;', /Unexpected token/],
  ["await Promise.reject(new Error('later'));", /await is only valid|later/],
]) {
  test(`main.js that does not load: ${text}`, async () => {
    const main = await write('broken.js', text);
    await assert.rejects(CloudProcess.start(main), error => expected.test(error.message));
  });
}

test('without a package parse the carried SDK is used', async () => {
  const main = await write('alone/main.js', `
    Parse.Cloud.define('version', () => [Parse.CoreManager.get('VERSION'), Parse.User.current() ?? null]);
    Parse.Cloud.beforeSave(Parse.File, async req => new Parse.File('b.txt', { base64: await req.file.getData() }));
    Parse.Cloud.beforeSave('Thing', req => { req.object.set('when', new Date(0)); });
    Parse.Cloud.define('save', async () => {
      const thing = await new Parse.Object('Thing').save({ n: 1 }, { useMasterKey: true });
      const list = await new Parse.Query('Thing').find({ useMasterKey: true });
      return [thing.id, list.length, thing];
    });`);
  const requests = [];
  const rest = request => {
    requests.push(request);
    return request.method === 'POST' ? { status: 201, body: { objectId: 'made', createdAt: '2024-05-06T07:08:09.010Z' } } : { body: { results: [] } };
  };
  await using(
    main,
    async cloud => {
      assert.deepEqual(await cloud.run('version'), { result: ['js8.6.2', null] });
      assert.deepEqual(await cloud.trigger('beforeSave', { className: 'Thing', changes: { n: 1 } }), {
        changed: { when: { __type: 'Date', iso: '1970-01-01T00:00:00.000Z' } },
      });
      const { result } = await cloud.run('save');
      assert.deepEqual(result.slice(0, 2), ['made', 0]);
      assert.equal(result[2].__type, 'Object');
      assert.deepEqual(requests.map(({ method, path: where, auth }) => [method, where, auth.useMasterKey]), [
        ['POST', 'classes/Thing', true], ['GET', 'classes/Thing', true],
      ]);
    },
    { answers: { rest } },
  );
});

test('values that have no JSON form are errors, not ends', async () => {
  const main = await write('values.js', `
    const values = {
      cycle: () => { const a = {}; a.a = [a]; return a; },
      bigint: () => 1n, deepBigint: () => ({ n: 1n }),
      date: () => [new Date(NaN)],
      unsaved: () => new Parse.Object('Thing'), unsavedDeep: () => ({ list: [new Parse.Object('Thing')] }),
      self: () => { const o = new Parse.Object('Thing'); o.set('me', o); return o; },
      func: () => () => 1,
    };
    Parse.Cloud.define('value', req => values[req.params.kind]());
    Parse.Cloud.beforeSave('Thing', req => { req.object.set('inner', values[req.object.get('kind')]()); });
    Parse.Cloud.afterFind('Thing', () => 'text');
    Parse.Cloud.define('throwNumber', () => { throw 5; });
    Parse.Cloud.define('throwCode', () => { throw new Parse.Error('x'); });`);
  await using(main, async cloud => {
    for (const kind of ['cycle', 'bigint', 'deepBigint', 'date', 'unsaved', 'unsavedDeep', 'self']) {
      assert.equal((await cloud.run('value', { kind })).code, 141, kind);
      assert.equal((await cloud.trigger('beforeSave', { className: 'Thing', changes: { kind } })).code, 141, kind);
    }
    assert.deepEqual(await cloud.run('value', { kind: 'func' }), {});
    assert.equal((await cloud.trigger('afterFind', { className: 'Thing', objects: [] })).code, 141);
    assert.deepEqual(await cloud.run('throwNumber'), { code: 141, message: '5' });
    assert.equal((await cloud.run('throwCode')).code, 141);
    assert.equal(cloud.process.exitCode, null);
  });
});

test('log lines have the id of their request', async () => {
  const main = await write('logs.js', `
    console.log('while loading');
    Parse.Cloud.define('log', async req => {
      console.log('console %s', 'line', { a: 1 });
      await new Promise(go => setTimeout(go, 5));
      req.log.warn('warned'); req.log.verbose('verbose'); req.log.log('error', 'failed');
      console.error('e'.repeat(100000));
    });`);
  await using(main, async cloud => {
    await cloud.call('function', 'log', { params: {} }, undefined, { request: 'r42', depth: 0 });
    assert.equal(cloud.logged('while loading')[0].request, '');
    assert.deepEqual(cloud.logged('console line'), [{ level: 'info', message: 'console line { a: 1 }', request: 'r42', printed: true }]);
    assert.deepEqual(cloud.logged('warned').map(line => [line.level, line.request]), [['warn', 'r42']]);
    assert.equal(cloud.logged('verbose')[0].level, 'debug');
    assert.equal(cloud.logged('failed')[0].level, 'error');
    assert.equal(cloud.logged('eee')[0].message.length, 8192);
  });
});

test('calls of a nested request carry its depth', async () => {
  const main = await write('depth.js', "Parse.Cloud.define('down', () => Parse.Cloud.run('down', {}));");
  const origins = [];
  const rest = (request, body, { request: id, depth }) => {
    origins.push([id, depth]);
    return { body: { result: 1 } };
  };
  await using(
    main,
    async cloud => {
      await cloud.call('function', 'down', { params: {} }, undefined, { request: 'r7', depth: 3 });
      assert.deepEqual(origins, [['r7', 3]]);
    },
    { answers: { rest } },
  );
});

test('live query triggers', async () => {
  const main = await write('live.js', `
    Parse.Cloud.beforeConnect(req => { if (!req.user) throw new Parse.Error(209, 'who?'); });
    Parse.Cloud.beforeSubscribe('Thing', req => { req.query.equalTo('owner', req.user.id); });
    Parse.Cloud.afterLiveQueryEvent('Thing', req => {
      if (req.object.get('hidden')) req.sendEvent = false;
      else req.object.set('event', req.event);
    });
    const events = [];
    Parse.Cloud.onLiveQueryEvent(({ event }) => events.push(event));
    Parse.Cloud.define('events', () => events);`);
  await using(main, async cloud => {
    assert.equal(cloud.registrations.liveQueryEvents, true);
    assert.deepEqual(await cloud.trigger('beforeConnect', { className: '@Connect', event: 'connect' }), { code: 209, message: 'who?' });
    const user = { objectId: 'u1' };
    assert.deepEqual(await cloud.trigger('beforeSubscribe', { className: 'Thing', query: { where: { n: 1 } }, user }), {
      query: { where: { n: 1, owner: 'u1' } },
    });
    const named = { where: {}, keys: ['n', 'o'], watch: ['n'] };
    assert.deepEqual(await cloud.trigger('beforeSubscribe', { className: 'Thing', query: named, user }), {
      query: { where: { owner: 'u1' }, keys: 'n,o', watch: 'n' },
    });
    const event = object => cloud.trigger('afterEvent', { className: 'Thing', event: 'update', object, original: null });
    assert.deepEqual(await event({ objectId: 'a', n: 1 }), { sendEvent: true, object: { objectId: 'a', n: 1, event: 'update' } });
    assert.deepEqual(await event({ objectId: 'a', hidden: true }), { sendEvent: false });
    await cloud.call('liveQueryEvent', '', { event: 'ws_connect' });
    assert.deepEqual((await cloud.run('events')).result, ['ws_connect']);
  });
});
