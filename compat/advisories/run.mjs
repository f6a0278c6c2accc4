#!/usr/bin/env node
// Tries the published security advisories of parse-server on a Parse-compatible server. See README.md.
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { runStarted, runAgainst } from './runner.mjs';

const { values } = parseArgs({
  options: {
    url: { type: 'string' }, graphql: { type: 'string' }, app: { type: 'string' }, master: { type: 'string' }, 'read-only': { type: 'string' }, maintenance: { type: 'string' },
    server: { type: 'string' }, database: { type: 'string' }, kind: { type: 'string', default: 'reparse' }, only: { type: 'string' }, json: { type: 'string' },
  },
});
if (!values.url === !values.server) {
  console.error('give --url, --app and --master of a running server, or --server COMMAND (with {config}) and --database URI to have servers started');
  process.exit(2);
}
const mark = { pass: 'ok  ', fail: 'FAIL', na: 'n/a ' };
const print = ({ id, title, outcome, detail }) => console.log(`${mark[outcome]} ${id.padEnd(22)} ${title}${detail ? `\n       ${detail}` : ''}`);
const results = values.url
  ? await runAgainst({ url: values.url, graphql: values.graphql, keys: { app: values.app, master: values.master, readOnly: values['read-only'], maintenance: values.maintenance }, only: values.only, print })
  : await runStarted({ command: values.server, database: values.database, kind: values.kind, only: values.only, print });
const count = outcome => results.filter(result => result.outcome === outcome).length;
if (values.json) fs.writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
console.log(`${count('pass')} held, ${count('fail')} vulnerable, ${count('na')} not applicable`);
process.exit(count('fail') ? 1 : 0);
