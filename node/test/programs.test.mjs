// Programs of the shapes that programs have, run unmodified with npm parse-server and with this package on both majors of Express: what a
// client gets is the same.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Walk } from './walk.mjs';
import { Program, freshDatabase, install, isAlive, packageFolder, programs, until } from './support.mjs';

/** npm parse-server 9 does not run these; they are compared with the program of the same walk. */
const INSTEAD = { classic: 'example' };
/** These bring no Express of their own. */
const WITHOUT_EXPRESS = new Set(['start-app']);

async function run(name, library, express) {
  const folder = install(path.join(programs, name), library, express);
  if (fs.existsSync(path.join(folder, 'tsconfig.json'))) compile(folder);
  const { default: walk, file, ends } = await import(path.join(programs, name in INSTEAD ? INSTEAD[name] : name, 'walk.mjs'));
  const program = await Program.start(folder, { file, env: { DATABASE_URI: freshDatabase() } });
  assert.ok(program.ready, `${name} with ${library}:\n${program.output}`);
  const servers = program.servers();
  const walked = new Walk(program);
  try {
    await walk(walked);
  } catch (error) {
    throw new Error(`${name} with ${library}: ${error.stack}\n${JSON.stringify(walked.answers.slice(-2), null, 1)}\n${program.output.slice(-2000)}`);
  }
  const end = await program.stop(ends?.signal);
  if (ends) {
    assert.equal(end.code, ends.code, `${name} with ${library}:\n${program.output}`);
    for (const text of ends.says) assert.ok(program.output.includes(text), `${library} should say ${text}:\n${program.output}`);
  }
  await until(() => !servers.some(isAlive), 'the servers end with the program');
  return walked.answers;
}

function compile(folder) {
  fs.symlinkSync(path.join(packageFolder, 'node_modules/@types'), path.join(folder, 'node_modules/@types'));
  const tsc = path.join(packageFolder, 'node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
}

for (const name of fs.readdirSync(programs)) {
  test(name, async () => {
    // What parse-server answers does not depend on the program's Express, but for an app in an Express 4 app that is served by itself,
    // too, which loses queries.
    const majors = WITHOUT_EXPRESS.has(name) ? [5] : [4, 5];
    const [theirs, ...ours] = await Promise.all([run(INSTEAD[name] ?? name, 'parse-server', 5), ...majors.map(express => run(name, 'reparse', express))]);
    assert.ok(theirs.length > 5);
    majors.forEach((express, index) => compare(theirs, ours[index], `Express ${express}`));
  });
}

function compare(theirs, ours, where) {
  const differing = theirs.map((_, index) => index).filter(index => !isDeepStrictEqual(ours[index], theirs[index]));
  const shown = differing.map(index => `parse-server: ${JSON.stringify(theirs[index])}\nreparse:      ${JSON.stringify(ours[index])}`);
  assert.equal(differing.length, 0, `${where}\n${shown.join('\n\n')}`);
  assert.equal(ours.length, theirs.length);
}
