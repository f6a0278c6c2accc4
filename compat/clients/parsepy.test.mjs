// ParsePy, the Python client of parse.com's days: its own tests, as PyPI has them, against the server.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { repoDir } from '../lib/env.mjs';
import { keys, startServer } from '../lib/server.mjs';
import { here, run } from './support.mjs';

/** They sign up with the master key and expect a session, which parse-server does not give either. */
const WITHOUT_SESSION = ['testCanBatchUpdate', 'testCanGetCurrentUser', 'testCanSignUp', 'testCanUpdate'];
/** Deploys cloud code with the command line tool of parse.com. */
const DEPLOYS = ['test_simple_functions'];
const TESTS = 37;

test('its own tests', { timeout: 300_000 }, async t => {
  const target = path.resolve(process.env.CARGO_TARGET_DIR ?? path.join(repoDir, 'target'), 'test-tools');
  const programs = await run('python3', [path.join(repoDir, 'tests/tools/python-packages.py'), target, path.join(here, 'python/requirements.txt')]);
  const server = await startServer({
    mountPath: '/1', allowClientClassCreation: true, restAPIKey: 'rest',
    // Nobody listens there, and there are no installations.
    push: { adapter: { module: 'webhook', options: { url: 'http://127.0.0.1:1' } } },
  });
  t.after(() => server.stop());
  const script = path.join(here, 'python/parsepy.py');
  const { passed, failed, skipped } = JSON.parse(await run(path.join(programs.trim(), 'python'), [script, server.root, keys.appId, 'rest', keys.masterKey]));
  assert.deepEqual(failed, WITHOUT_SESSION);
  assert.deepEqual(skipped, DEPLOYS);
  assert.equal(passed.length, TESTS - failed.length - skipped.length);
});
