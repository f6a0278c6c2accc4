// Option accepts: a server that accepts reads only writes nothing and says so, one that accepts nothing is closed, both changed by SIGHUP.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { binary } from '../lib/env.mjs';
import { send } from '../lib/http.mjs';
import { until } from '../lib/net.mjs';
import { Server, spawnReparse, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const LIMIT = 60_000;
const CLOUD = `
Parse.Cloud.beforeSave('Note', () => console.log('beforeSave was called'));
Parse.Cloud.define('count', () => new Parse.Query('Note').count({ useMasterKey: true }));
Parse.Cloud.define('make', async () => (await new Parse.Object('Note').save(null, { useMasterKey: true })).id);
Parse.Cloud.job('clean', () => {});
`;

for (const store of ['embedded', 'mongo']) {
  test(`${store}: all, reads, nothing, all`, async () => {
    const cloud = path.join(tempDir('cloud'), 'main.js');
    fs.writeFileSync(cloud, CLOUD);
    const options = { jsonLogs: true, allowClientClassCreation: true, cloud, mountGraphQL: true, metrics: { enabled: true }, fileUpload: { enableForPublic: true } };
    const { file, config, dir } = await writeConfig(options, { database: freshDatabase(store) });
    const child = spawnReparse([file], { cwd: dir });
    const server = await new Server(child, config.port, config).ready();
    const reload = async accepts => {
      const reloads = () => child.output.split('the configuration was read again').length;
      const before = reloads();
      fs.writeFileSync(`${file}.new`, JSON.stringify({ ...config, accepts }));
      fs.renameSync(`${file}.new`, file);
      child.signal('SIGHUP');
      await until(() => reloads() > before, { limit: LIMIT, what: 'the reload' });
    };
    const health = async name => {
      const { status, body } = await send(`${server.url}/health${name}`);
      return [status, body];
    };
    const graphql = async query => (await send(`${server.root}/graphql`, { method: 'POST', json: { query }, headers: { 'X-Parse-Application-Id': 'app' } })).body;
    const credentials = { username: 'ann', password: 'secret' };
    const { body: { objectId: user, sessionToken: session } } = await server.request('POST', '/users', { json: credentials });
    const { body: { objectId: id } } = await server.request('POST', '/classes/Note', { json: { n: 1 } });
    const uploaded = await server.request('POST', '/files/a.txt', { data: 'hello', headers: { 'Content-Type': 'text/plain' } });
    assert.ok(session && id && uploaded.body.name, uploaded.text);
    const where = new URL(uploaded.body.url).pathname.slice('/parse'.length);
    const calls = () => child.output.split('beforeSave was called').length - 1;
    await until(() => calls() === 1, { limit: LIMIT, what: 'the line of beforeSave' });
    const reads = async () => {
      for (const [path, options] of [
        ['/classes/Note'], [`/classes/Note/${id}`], ['/users/me', { session }], ['/sessions/me', { session }], ['/schemas', { master: true }], ['/config'],
        [`/aggregate/Note?pipeline=${encodeURIComponent('[{"$match":{"n":1}}]')}`, { master: true }], [where],
      ]) {
        const answer = await server.request('GET', path, options);
        assert.equal(answer.status, 200, `${path}: ${answer.text}`);
      }
      assert.deepEqual((await server.request('POST', '/functions/count', { json: {} })).body, { result: 1 });
      assert.equal((await graphql('{ notes { count } }')).data.notes.count, 1);
    };
    await reads();

    await reload('reads');
    assert.deepEqual([await health('/ready'), await health(''), await health('/live')], [[200, { status: 'ok', accepts: 'reads' }], [200, { status: 'ok', accepts: 'reads' }], [200, { status: 'ok' }]]);
    const master = { master: true };
    const json = {};
    for (const [method, path, options] of [
      ['POST', '/users', { json: { username: 'bob', password: 'x' } }],
      ['POST', '/login', { json: credentials }],
      ['POST', '/login', { json: { ...credentials, password: 'wrong' } }],
      ['GET', '/login?username=ann&password=secret', {}],
      ['POST', '/verifyPassword', { json: credentials }],
      ['POST', '/loginAs', { ...master, json: { userId: user } }],
      ['POST', '/logout', { session, json }],
      ['PUT', `/users/${user}`, { session, json: { n: 1 } }],
      ['POST', '/classes/Note', { json: { n: 2 } }],
      ['POST', '/classes/New', { ...master, json: { n: 2 } }],
      ['PUT', `/classes/Note/${id}`, { json: { n: 2 } }],
      ['DELETE', `/classes/Note/${id}`, {}],
      ['POST', '/roles', { ...master, json: { name: 'r', ACL: {} } }],
      ['POST', '/installations', { json: { deviceType: 'ios', installationId: 'i' } }],
      ['DELETE', '/purge/Note', master],
      ['POST', '/schemas/New', { ...master, json: { className: 'New' } }],
      ['PUT', '/schemas/Note', { ...master, json: { className: 'Note', fields: { a: { type: 'String' } } } }],
      ['DELETE', '/schemas/Note', master],
      ['PUT', '/config', { ...master, json: { params: { a: 1 } } }],
      ['POST', '/hooks/functions', { ...master, json: { functionName: 'f', url: 'http://127.0.0.1:9/' } }],
      ['POST', '/jobs/clean', { ...master, json }],
      ['POST', '/files/b.txt', { data: 'x', headers: { 'Content-Type': 'text/plain' } }],
      ['DELETE', `/files/${uploaded.body.name}`, master],
    ]) {
      const { status, headers, body } = await server.request(method, path, options);
      assert.deepEqual([status, headers['retry-after'], body], [503, '30', { code: 100, error: 'The server is read-only for now.' }], `${method} ${path}`);
    }
    const batch = { requests: [{ method: 'POST', path: '/parse/classes/Note', body: { n: 3 } }, { method: 'GET', path: `/parse/classes/Note/${id}` }] };
    const [refused, read] = (await server.request('POST', '/batch', { json: batch })).body;
    assert.deepEqual([refused.error.code, read.success.n], [100, 1]);
    const whole = await server.request('POST', '/batch', { json: { ...batch, transaction: true } });
    assert.deepEqual([whole.status, whole.body.code], [503, 100]);
    assert.equal((await server.request('POST', '/functions/make', { json: {} })).body.code, 100);
    assert.equal((await graphql('mutation { createNote(input: { fields: {} }) { note { id } } }')).errors[0].extensions.code, 100);
    await reads();
    assert.equal(calls(), 1, 'a trigger was called for a write that was refused');

    await reload('nothing');
    assert.deepEqual(await health('/ready'), [503, { status: 'closed', error: 'The server is closed for now.' }]);
    assert.deepEqual([await health(''), await health('/live')], [[200, { status: 'ok', accepts: 'nothing' }], [200, { status: 'ok' }]]);
    for (const [path, options] of [['/classes/Note', {}], ['/schemas', master], ['/../graphql', {}], ['/../elsewhere', {}]]) {
      const { status, headers, body } = await server.request('GET', path, options);
      assert.deepEqual([status, headers['retry-after'], body], [503, '30', { code: 100, error: 'The server is closed for now.' }], path);
      assert.equal(headers['access-control-allow-origin'], '*');
    }
    const metrics = await send(`${server.root}/metrics`);
    assert.match(metrics.text, /^reparse_ready 0$/m);

    await reload('all');
    assert.deepEqual(await health('/ready'), [200, { status: 'ok' }]);
    await reads();
    assert.equal((await server.request('POST', '/login', { json: credentials })).status, 200);
    assert.equal((await server.request('POST', '/classes/Note', { json: { n: 2 } })).status, 201);
    assert.deepEqual((await server.request('GET', '/users?count=1&limit=0', master)).body.count, 1);
    await server.stop();
    // nothing failed but the function, whose write was refused
    const errors = child.output.split('\n').filter(line => line.includes('"level":"ERROR"') && !line.includes('"function":"make"'));
    assert.deepEqual(errors, []);

    // commands are for whoever closed the server
    fs.writeFileSync(file, JSON.stringify({ ...config, accepts: 'nothing' }));
    const made = spawnSync(binary, ['user', 'create', 'carl', file], { cwd: dir, input: 'secret\n', encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr + made.stdout);
  });
}
