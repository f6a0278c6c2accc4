// The PHP SDK: its own tests, from a checkout of github.com/parse-community/parse-php-sdk named by REPARSE_TEST_PHP_SDK, against the server.
// Needs `php` (with curl, mbstring and xml), `phpunit` and `composer`, and the port 1337, which the tests name.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { run } from './support.mjs';
import { expected, unsteady } from './php-known.mjs';

/** The options of `tests/server.js` of the SDK. */
const options = dir => ({
  port: 1337,
  serverURL: 'http://localhost:1337/parse',
  publicServerURL: 'http://localhost:1337/parse',
  appName: 'MyTestApp',
  appId: 'app-id-here',
  masterKey: 'master-key-here',
  restAPIKey: 'rest-api-key-here',
  cloud: path.join(dir, 'tests/cloud-code.js'),
  allowClientClassCreation: true,
  fileUpload: { enableForPublic: true },
  emailAdapter: { module: path.join(dir, 'tests/MockEmailAdapter.js'), options: {} },
  auth: { facebook: { appIds: ['id'] } },
  push: { adapter: { module: 'webhook', options: { url: 'http://127.0.0.1:1' } } },
  liveQuery: { classNames: ['TestObject', '_User'] },
});

/** The tests of a JUnit report: `[name, failed]`. */
function results(report) {
  const found = [];
  for (const [, attributes, body = ''] of report.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    const [, name] = /\bname="([^"]*)"/.exec(attributes);
    const [, of] = /\bclass="([^"]*)"/.exec(attributes);
    found.push([`${of.split('\\').pop()}.${name}`, /<(error|failure)\b/.test(body)]);
  }
  return found;
}

test('its own tests', { timeout: 900_000 }, async t => {
  const checkout = process.env.REPARSE_TEST_PHP_SDK;
  assert.ok(checkout, 'REPARSE_TEST_PHP_SDK names a checkout of the PHP SDK');
  const dir = path.join(tempDir(), 'sdk');
  fs.cpSync(checkout, dir, { recursive: true });
  await run('composer', ['dump-autoload', '--dev', '--quiet', '--no-interaction'], { cwd: dir, env: { COMPOSER_ALLOW_SUPERUSER: '1' } });
  const server = await startServer(options(dir));
  t.after(() => server.stop());
  const report = path.join(dir, 'report.xml');
  const said = await run('phpunit', ['--no-coverage', '--log-junit', report, 'tests'], { cwd: dir, timeout: 800_000 }).catch(error => error.message);
  assert.ok(fs.existsSync(report), said);
  const tests = results(fs.readFileSync(report, 'utf8'));
  const failed = tests.filter(([name, bad]) => bad && !(name in unsteady)).map(([name]) => name).sort();
  t.diagnostic(`${tests.length} tests, ${failed.length} failed`);
  assert.deepEqual(failed, Object.keys(expected).sort(), said);
  assert.ok(tests.length > 450, `only ${tests.length} tests ran`);
});
