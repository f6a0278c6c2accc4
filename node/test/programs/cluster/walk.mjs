import { everyday } from '../../walk.mjs';

export default async function (walk) {
  await everyday(walk);
  for (let n = 0; n < 4; n++) await walk.request('POST', '/functions/alive', { body: {} });
}

export const ends = { signal: 'SIGTERM', code: 0, says: [] };
