import { everyday } from '../../walk.mjs';

export default async function (walk) {
  await everyday(walk);
  await walk.own('GET', '/healthz');
  await walk.request('POST', '/users', { body: { authData: { anonymous: { id: 'a-device' } } } });
}

export const file = 'server.js';
export const ends = { signal: 'SIGTERM', code: 0, says: ['stopped'] };
