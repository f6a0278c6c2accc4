// The Embedded C SDK (retired in 2020): its own test, from a checkout of github.com/parse-community/parse-embedded-sdks named by
// REPARSE_TEST_EMBEDDED_C, against the server. Needs `gcc` and the headers of libcurl and libuuid.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { run } from './support.mjs';

/** It waits for a push from the service of parse.com, which is gone. */
const FAILS = '[FAILURE] receive push notifications: did not receive the push notifications correctly';
const PASSES = 24;

test('its own test', { timeout: 300_000 }, async t => {
  const checkout = process.env.REPARSE_TEST_EMBEDDED_C;
  assert.ok(checkout, 'REPARSE_TEST_EMBEDDED_C names a checkout of the Embedded C SDKs');
  const server = await startServer({ clientKey: 'client', allowClientClassCreation: true });
  t.after(() => server.stop());
  const home = tempDir();
  const program = path.join(home, 'parse_test');
  const sources = ['parse', 'parse_log', 'parse_os', 'parse_time', 'parse_uuid'].map(name => path.join(checkout, `unix/src/${name}.c`));
  const defined = { YOUR_APP_IP: server.options.appId, YOUR_CLIENT_KEY: 'client', YOUR_SERVER_URL: server.url };
  // What its `configure` would write.
  fs.writeFileSync(path.join(home, 'config.h'), '#define PACKAGE "parse"\n#define PACKAGE_VERSION "1.0.4"\n#define VERSION "1.0.4"\n#define HAVE_UUID_H 1\n');
  await run('gcc', [
    '-w', '-include', 'strings.h', ...Object.entries(defined).map(([name, value]) => `-D${name}="${value}"`),
    `-I${home}`, ...['include', 'common', 'unix/src'].map(folder => `-I${path.join(checkout, folder)}`),
    path.join(checkout, 'unix/samples/test/main.c'), path.join(checkout, 'common/simplejson.c'), ...sources,
    '-o', program, '-lcurl', '-luuid', '-lpthread',
  ]);
  const said = (await run(program, [], { env: { HOME: home } })).split('\n');
  assert.deepEqual(said.filter(line => line.startsWith('[FAILURE]')), [FAILS]);
  assert.equal(said.filter(line => line.startsWith('[SUCCESS]')).length, PASSES);
});
