// `reparse openapi CONFIGURATION.json`: the document of an app for build pipelines.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import yaml from 'js-yaml';
import { spawnSync } from 'node:child_process';
import { binary } from '../lib/env.mjs';
import { startServer, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const schema = { className: 'GameScore', fields: { score: { type: 'Number' }, owner: { type: 'Pointer', targetClass: '_User' } } };

const print = (args, cwd = tempDir()) => spawnSync(binary, ['openapi', ...args], { cwd, encoding: 'utf8', maxBuffer: 64 << 20, timeout: 60_000 });

describe('reparse openapi', () => {
  test('prints what the server serves to masters, whether the server runs or not', async () => {
    const database = freshDatabase();
    const server = await startServer({}, { database });
    const made = await server.request('POST', '/schemas', { master: true, json: schema });
    assert.equal(made.status, 200, made.text);
    const served = (await server.request('GET', '/openapi.json', { master: true })).body;
    const { file } = await writeConfig({}, { database });
    const beside = print([file]);
    assert.equal(beside.status, 0, beside.stderr);
    assert.deepEqual(JSON.parse(beside.stdout), served);
    // the server did not notice
    const again = await server.request('POST', '/classes/GameScore', { master: true, json: { score: 1, later: 'x' } });
    assert.equal(again.status, 201, again.text);
    await server.stop();
    const alone = print([file]);
    assert.equal(alone.status, 0, alone.stderr);
    assert.equal(JSON.parse(alone.stdout).components.schemas.GameScore.properties.later.type, 'string');
    const asYaml = print(['--yaml', file]);
    assert.deepEqual(yaml.load(asYaml.stdout), JSON.parse(alone.stdout));
    // and the store still opens
    const next = await startServer({}, { database });
    assert.equal((await next.request('GET', '/classes/GameScore', { master: true })).body.results.length, 1);
    await next.stop();
  });

  test('shows the classes that the configuration defines, and makes nothing', async () => {
    const database = freshDatabase();
    const server = await startServer({}, { database });
    await server.request('POST', '/schemas', { master: true, json: schema });
    const definitions = [
      { className: 'GameScore', fields: { level: { type: 'Number', required: true } } },
      { className: 'Planned', fields: { name: { type: 'String', required: true, defaultValue: 'x' } } },
      { className: '_User', fields: { nick: { type: 'String' } } },
    ];
    const { file } = await writeConfig({ schema: { definitions } }, { database });
    const printed = print([file]);
    assert.equal(printed.status, 0, printed.stderr);
    const { schemas } = JSON.parse(printed.stdout).components;
    assert.deepEqual(schemas.GameScoreCreate.required, ['level']);
    assert.ok(schemas.GameScore.properties.score);
    assert.equal(schemas.PlannedCreate.properties.name.default, 'x');
    assert.ok(schemas.SignUp.properties.nick);
    const names = (await server.request('GET', '/schemas', { master: true })).body.results.map(each => each.className);
    assert.ok(!names.includes('Planned'), names);
    await server.stop();
    // what the server makes of the same configuration
    const defined = await startServer({ schema: { definitions } }, { database });
    const served = (await defined.request('GET', '/openapi.json', { master: true })).body;
    assert.deepEqual(served, JSON.parse(printed.stdout));
    await defined.stop();
  });

  test('fails with a message when the store cannot be read', async () => {
    for (const [database, words] of [
      [`file:${path.join(tempDir(), 'none')}`, /cannot read the embedded store: .*none/],
      ['mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=300', /cannot open MongoDB/],
    ]) {
      const { file } = await writeConfig({}, { database });
      const { status, stdout, stderr } = print([file]);
      assert.deepEqual([status, stdout], [1, ''], stderr);
      assert.match(stderr, words);
      assert.doesNotMatch(stderr, /panicked/);
    }
    const dir = tempDir();
    const unmade = print([], dir);
    assert.deepEqual([unmade.status, unmade.stdout], [1, ''], unmade.stderr);
    assert.deepEqual(fs.readdirSync(dir), []);
    const wrong = print([path.join(dir, 'none.json')]);
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /cannot read the configuration/);
  });
});
