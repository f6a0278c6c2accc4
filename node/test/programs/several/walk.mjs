import { everyday } from '../../walk.mjs';

export default async function (walk) {
  for (const name of ['red', 'blue']) {
    const app = walk.at(`/${name}`, { app: name, key: `${name}-master` });
    // parse-server has one cache of schemas for all apps of a program, so that one sees the classes of the other.
    await everyday(app, { schemas: false });
    await app.request('POST', '/functions/name', { body: {} });
    const thing = await app.request('POST', '/classes/Thing', { body: { a: 1 } });
    await app.request('GET', `/classes/Thing/${thing.body.objectId}`);
  }
}
