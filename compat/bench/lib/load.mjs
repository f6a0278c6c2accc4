// Runs the load generator.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { repoDir } from '../../lib/env.mjs';

const generator = path.resolve(process.env.REPARSE_BENCH_LOAD ?? path.join(repoDir, 'target/dist/reparse-load'));

/** One run of `http`, `floor` or `start`; returns its report, and fails if any answer was not as expected. */
export async function load(command, spec) {
  const text = await new Promise((resolve, reject) => {
    const child = execFile(generator, [command], { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message));
      else resolve(stdout);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(JSON.stringify(spec));
  });
  const report = JSON.parse(text);
  for (const stream of report.streams ?? []) {
    if (stream.errors > 0) throw new Error(`${stream.errors} of ${stream.requests + stream.errors} answers were not as expected: ${stream.first_error}`);
    if (stream.requests === 0) throw new Error(`${stream.name ?? spec.operation}: not one answer in time`);
  }
  return report;
}
