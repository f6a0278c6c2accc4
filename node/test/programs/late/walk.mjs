import { everyday } from '../../walk.mjs';

export default async function (walk) {
  // What was registered before is known when this is answered.
  await walk.own('GET', '/now');
  await everyday(walk);
  await walk.request('POST', '/functions/early', { body: {} });
  await walk.request('POST', '/functions/afterwards', { body: {} });
  await walk.request('POST', '/functions/later', { body: {} });
  await walk.own('GET', '/later');
  await walk.own('GET', '/now');
  await walk.request('POST', '/functions/later', { body: {} });
  for (const n of [1, 2]) await walk.request('POST', '/classes/Thing', { body: { n } });
  await walk.own('GET', '/things');
  await walk.own('POST', '/signup', { body: { username: 'bob', password: 'pw' } });
  await walk.own('POST', '/signup', { body: { username: 'root', password: 'pw' } });
  await walk.own('GET', '/many');
}
