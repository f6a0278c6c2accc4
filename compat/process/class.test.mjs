// `reparse class` and `reparse keys`: what an administrator does without requests, on both stores.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { binary } from '../lib/env.mjs';
import { Server, spawnReparse, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const run = (args, cwd) => {
  const { status, stdout, stderr } = spawnSync(binary, args, { cwd, encoding: 'utf8', timeout: 120_000 });
  return { status, stdout, output: stdout + stderr };
};

for (const kind of ['embedded', 'mongo']) {
  test(`classes are listed, purged and indexed on the command line (${kind})`, async () => {
    const { file, config, dir } = await writeConfig({}, { database: freshDatabase(kind) });
    const done = (...args) => {
      const { status, stdout, output } = run(['class', ...args, file], dir);
      assert.equal(status, 0, output);
      return stdout;
    };
    const list = () => new Map(done('list').trim().split('\n').map(line => JSON.parse(line)).map(({ class: name, ...rest }) => [name, rest]));
    const withServer = async work => {
      const server = await new Server(spawnReparse([file], { cwd: dir }), config.port, config).ready();
      await work(server).finally(() => server.stop());
    };
    await withServer(async server => {
      for (let count = 0; count < 3; count++) await server.request('POST', '/classes/Order', { master: true, json: { total: count } });
      const { objects, fields } = list().get('Order');
      assert.deepEqual([objects, fields.total, fields.objectId], [3, 'Number', 'String']);
    });
    done('index', 'Order', '{"byTotal":{"total":-1}}');
    assert.deepEqual(list().get('Order').indexes.byTotal, { total: -1 });
    done('index', 'Order', '{"byTotal":{"__op":"Delete"}}');
    assert.equal(list().get('Order').indexes.byTotal, undefined);
    done('purge', 'Order');
    assert.equal(list().get('Order').objects, 0);
    for (const [args, message] of [
      [['purge', 'Missing'], /does not exist/],
      [['index', 'Order', '{"x":{"missing":1}}'], /missing/],
      [['index', 'Order', '[1]'], /no JSON object/],
      [['destroy'], /class takes list/],
    ]) {
      const { status, output } = run(['class', ...args, file], dir);
      assert.equal(status, 1, output);
      assert.match(output, message);
    }
  });
}

test('generated keys are replaced, and a running server takes them on SIGHUP', async () => {
  const dir = tempDir();
  assert.match(run(['keys'], dir).output, /there are no generated keys/);
  const child = spawnReparse(['--port', '0'], { cwd: dir });
  const keys = () => JSON.parse(fs.readFileSync(path.join(dir, 'data/keys.json'), 'utf8'));
  const url = await new Promise(resolve => {
    const timer = setInterval(() => {
      const found = /listening.*url=(http\S+)/.exec(child.output.replace(/\u001b\[[0-9;]*m/g, ''));
      if (found) {
        clearInterval(timer);
        resolve(found[1]);
      }
    }, 50);
  });
  const old = keys();
  const status = async masterKey => (await fetch(`${url}/schemas`, { headers: { 'X-Parse-Application-Id': old.appId, 'X-Parse-Master-Key': masterKey } })).status;
  assert.equal(await status(old.masterKey), 200);
  const { status: code, output } = run(['keys'], dir);
  assert.equal(code, 0, output);
  const fresh = keys();
  assert.ok(output.includes(fresh.masterKey) && fresh.masterKey !== old.masterKey && fresh.maintenanceKey !== old.maintenanceKey);
  assert.equal(fresh.appId, old.appId);
  assert.equal(fs.statSync(path.join(dir, 'data/keys.json')).mode & 0o777, 0o600);
  child.signal('SIGHUP');
  for (let tries = 0; (await status(fresh.masterKey)) !== 200; tries++) {
    assert.ok(tries < 200, child.output);
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  assert.equal(await status(old.masterKey), 403);
  await child.stop();
  const { file } = await writeConfig();
  assert.match(run(['keys', file], dir).output, /the keys are in the configuration/);
});
