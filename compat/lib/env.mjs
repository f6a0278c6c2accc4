// Environment variables of the suites. `tests/run` sets all of them; the defaults are for runs by hand.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const compatDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const repoDir = path.dirname(compatDir);

/** The server binary under test. */
export const binary = path.resolve(process.env.REPARSE_TEST_BIN ?? path.join(repoDir, 'target/debug/reparse'));

/** `reparse`, or `reference` to run a suite against npm parse-server: how a suite is shown to be right itself. */
export const target = process.env.REPARSE_TEST_TARGET ?? 'reparse';

/** `mongo` or `embedded`: the store of the servers that a suite starts. */
export const store = process.env.REPARSE_TEST_STORE ?? 'mongo';

/** Connection string of the MongoDB replica set, without a database name. */
export function mongoUri() {
  const uri = process.env.REPARSE_TEST_MONGO;
  if (!uri) throw new Error('REPARSE_TEST_MONGO is not set: run the suites through tests/run, or give the URI of a replica set');
  return uri;
}
