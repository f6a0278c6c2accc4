#!/usr/bin/env node
// Writes the table of docs/security.md from reports: `table.mjs NAME=report.json …`, in the order of the columns.
import fs from 'node:fs';

const columns = process.argv.slice(2).map(argument => {
  const [name, file] = argument.split('=');
  return { name, results: new Map(JSON.parse(fs.readFileSync(file, 'utf8')).map(result => [result.id, result])) };
});
const mark = { pass: 'ok', fail: '**fails**', na: 'n/a' };
const rows = [...columns[0].results.values()];
console.log(`| Advisory | What it is | ${columns.map(({ name }) => name).join(' | ')} |`);
console.log(`|---|---|${columns.map(() => '---|').join('')}`);
for (const { id, cve, title } of rows) {
  const cells = columns.map(({ results }) => mark[results.get(id)?.outcome] ?? 'n/a');
  console.log(`| ${id}${cve ? `, ${cve}` : ''} | ${title.replaceAll('|', '\\|')} | ${cells.join(' | ')} |`);
}
