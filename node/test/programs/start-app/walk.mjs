import { everyday } from '../../walk.mjs';

export default async function (walk) {
  const parse = walk.at('/1');
  await everyday(parse);
  await parse.request('POST', '/functions/config', { body: {} });
  await walk.own('GET', '/own');
  await walk.own('POST', '/api/graphql', { app: 'app', body: { query: '{ health }' } });
  const page = await walk.program.request('GET', '/api/playground', { app: null });
  walk.note('playground', [page.status, page.headers['content-type'].split(';')[0], page.text.includes('/api/graphql')]);
}

/** What the program says when it is told to end. */
export const ends = { signal: 'SIGTERM', code: 0, says: ['Termination signal received. Shutting down.', 'CLOSED'] };
