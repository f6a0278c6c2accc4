import { everyday } from '../../walk.mjs';

export default async function (walk) {
  await everyday(walk);
  await walk.own('GET', '/kinds');
  await walk.request('POST', '/functions/double', { body: { n: 21 } });
  await walk.request('POST', '/classes/Place', { body: { at: { __type: 'GeoPoint', latitude: 1, longitude: 2 } } });
  await walk.request('GET', '/classes/Place');
  await walk.request('DELETE', '/classes/Place/unknown123');
  await walk.request('POST', '/users', { body: { username: 'eve', password: 'short' } });
}
