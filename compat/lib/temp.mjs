// Temporary directories that are removed when the process ends.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const made = new Set();
process.on('exit', () => {
  for (const dir of made) fs.rmSync(dir, { recursive: true, force: true });
});

/** A new empty directory. */
export function tempDir(name = 'reparse-test') {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
  made.add(dir);
  return dir;
}

/** Removes a directory of `tempDir` before the process ends. */
export function dropDir(dir) {
  fs.rmSync(dir, { recursive: true, force: true });
  made.delete(dir);
}
