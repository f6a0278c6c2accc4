import { everyday } from '../../walk.mjs';

export default async function (walk) {
  await everyday(walk);
  await walk.own('GET', '/');
  await walk.own('GET', '/public/page.txt');
  await walk.own('GET', '/count');
  await walk.request('POST', '/classes/GameScore', { body: { score: -1 } });
  const capped = await walk.request('POST', '/classes/GameScore', { body: { score: 10_000 } });
  await walk.request('GET', `/classes/GameScore/${capped.body.objectId}`);
  await walk.request('POST', '/functions/hello', { body: { name: 'Ann' } });
  await walk.request('POST', '/functions/best', { body: {} });
  await walk.request('POST', '/functions/fails', { body: {} });
  await walk.request('POST', '/functions/unknown', { body: {} });
  const { body } = await walk.request('POST', '/login', { body: { username: 'ann', password: 'correct horse' } });
  await walk.request('POST', '/functions/who', { session: body.sessionToken, body: {} });
  await walk.request('POST', '/functions/who', { master: true, body: {} });
}
