// Runs a client as a process of its own against a server.
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));

/** The version of an npm package of this folder. */
export const version = name => JSON.parse(fs.readFileSync(`${here}node_modules/${name}/package.json`, 'utf8')).version;

/** Runs a program; resolves with its output, fails with it if the program fails. */
export function run(program, args, { cwd = here, env = {}, timeout = 120_000 } = {}) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, env: { ...process.env, ...env }, timeout, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program} ${args.join(' ')}: ${error.message}\n${stdout}\n${stderr}`));
      else resolve(stdout);
    });
  });
}

/** A program of an npm package of this folder. */
export const npm = path => `${here}node_modules/${path}`;
export { here };
