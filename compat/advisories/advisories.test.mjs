// Every advisory's check holds on the server under test. `REPARSE_TEST_TARGET` does not apply: for other servers there is run.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binary, mongoUri, store } from '../lib/env.mjs';
import { runStarted } from './runner.mjs';
import { checks } from './suite/index.mjs';

const results = await runStarted({
  command: `${binary} {config}`,
  database: store === 'mongo' ? mongoUri() : 'file:',
  kind: 'reparse',
});

for (const check of checks) {
  test(`${check.id}: ${check.title}`, () => {
    const result = results.find(({ id }) => id === check.id);
    assert.equal(result?.outcome, 'pass', result?.detail);
  });
}
