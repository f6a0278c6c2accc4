import { everyday } from '../../walk.mjs';

export default async function (walk) {
  await everyday(walk);
  await walk.own('GET', '/version');
  await walk.request('POST', '/functions/total', { body: { numbers: [1, 2, 3] } });
  await walk.request('POST', '/classes/Team', { body: { name: 'red' } });
  await walk.request('POST', '/classes/Team', { body: { points: 4 } });
  await walk.request('GET', '/classes/Team');
}
