// Versions of programs and memory of processes.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { compatDir, repoDir } from '../../lib/env.mjs';

const run = promisify(execFile);

/** What was compared. */
export async function versions(binary, mongod) {
  const manifest = name => JSON.parse(fs.readFileSync(path.join(compatDir, 'node_modules', name, 'package.json'), 'utf8')).version;
  // of a binary that was given nobody knows it
  const commit = !process.env.REPARSE_BENCH_BUILT ? undefined : await run('git', ['-C', repoDir, 'rev-parse', '--short', 'HEAD']).then(({ stdout }) => stdout.trim(), () => undefined);
  const reparse = await run(binary, ['--version']).then(({ stdout }) => stdout.trim());
  return { reparse, commit, 'parse-server': manifest('parse-server'), 'node-rs/bcrypt': manifest('@node-rs/bcrypt'), node: process.version, mongod };
}

/** Resident memory of a process, now and at its highest, in MiB. */
export function memoryOf(pid) {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = name => Number(status.match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))?.[1]) / 1024;
  return { nowMib: read('VmRSS'), peakMib: read('VmHWM') };
}
