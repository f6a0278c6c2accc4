// Fresh databases on either store.
import crypto from 'node:crypto';
import path from 'node:path';
import { mongoUri, store as chosen } from './env.mjs';
import { tempDir } from './temp.mjs';

const unique = () => crypto.randomBytes(5).toString('hex');

/** The URI of one database of the replica set. */
export function mongoDatabase(name) {
  const uri = new URL(mongoUri());
  uri.pathname = `/${name}`;
  return uri.href;
}

/** The `databaseURI` of a database that nobody has used yet. */
export function freshDatabase(kind = chosen) {
  if (kind === 'mongo') return mongoDatabase(`test_${unique()}`);
  if (kind === 'embedded') return `file:${path.join(tempDir('reparse-data'), 'data')}`;
  throw new Error(`unknown store ${kind}: mongo or embedded`);
}
