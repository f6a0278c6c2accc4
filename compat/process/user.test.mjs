// `reparse user`: what an administrator does with a user, on both stores.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { binary } from '../lib/env.mjs';
import { Server, spawnReparse, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

for (const kind of ['embedded', 'mongo']) {
  test(`users are made, unlocked and logged out on the command line (${kind})`, async () => {
    const options = { accountLockout: { threshold: 1, duration: 60 }, passwordPolicy: { validatorPattern: '^.{8,}$' } };
    const { file, config, dir } = await writeConfig(options, { database: freshDatabase(kind) });
    const user = (action, name, input = '') => {
      const env = { ...process.env, REPARSE_BCRYPT_COST: '4' };
      const { status, stdout, stderr } = spawnSync(binary, ['user', action, name, file], { cwd: dir, input, env, encoding: 'utf8', timeout: 120_000 });
      return { status, output: stdout + stderr };
    };
    const done = (...args) => {
      const { status, output } = user(...args);
      assert.equal(status, 0, output);
      assert.ok(!output.includes('correct horse') && !output.includes('battery staple'), output);
    };
    const refused = (message, ...args) => {
      const { status, output } = user(...args);
      assert.equal(status, 1, output);
      assert.match(output, message);
    };
    const withServer = async work => {
      const server = await new Server(spawnReparse([file], { cwd: dir }), config.port, config).ready();
      const logIn = password => server.request('GET', '/login', { query: { username: 'ann', password }, timeout: 60_000 });
      try {
        return await work(server, logIn);
      } finally {
        await server.stop();
      }
    };

    done('create', 'ann', 'correct horse\n');
    refused(/already exists/, 'create', 'ann', 'correct horse\n');
    refused(/password/i, 'create', 'bob', 'short\n');
    refused(/standard input has none/, 'create', 'bob');
    refused(/there is no user nobody/, 'unlock', 'nobody');
    refused(/user takes create, password, unlock or log-out/, 'destroy', 'ann');

    const session = await withServer(async (server, logIn) => {
      const { status, body, text } = await logIn('correct horse');
      assert.equal(status, 200, text);
      await logIn('wrong password');
      assert.match((await logIn('correct horse')).text, /locked/);
      if (kind === 'embedded') refused(/in use by process/, 'unlock', 'ann');
      return body.sessionToken;
    });
    done('unlock', 'ann');
    await withServer(async (server, logIn) => {
      assert.equal((await logIn('correct horse')).status, 200);
      assert.equal((await server.request('GET', '/users/me', { session })).status, 200);
    });
    done('log-out', 'ann');
    await withServer(async server => assert.equal((await server.request('GET', '/users/me', { session })).body?.code, 209));
    done('password', 'ann', 'battery staple\n');
    await withServer(async (server, logIn) => assert.equal((await logIn('battery staple')).status, 200));
  });
}
