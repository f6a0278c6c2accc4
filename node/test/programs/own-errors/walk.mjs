import { everyday } from '../../walk.mjs';

export default async function (walk) {
  const parse = walk.at('/api/parse', { headers: { 'X-Parse-Client-Key': 'client' } });
  await everyday(parse);
  await parse.request('GET', '/classes/GameScore', { headers: {} });
  await parse.request('POST', '/users', { body: { username: 'bob', password: 'short' } });
  await parse.request('POST', '/users', { body: { username: 'bob', password: 'long enough', phone: '5' } });
  await parse.request('GET', '/users', { master: true });
  await parse.request('GET', '/users');
  const file = await parse.request('POST', '/files/hello.txt', { body: 'hello file', headers: { 'Content-Type': 'text/plain', 'X-Parse-Client-Key': 'client' } });
  const { pathname } = new URL(file.body.url);
  const got = await walk.program.request('GET', pathname, { app: null });
  walk.note('the file', [got.status, got.text, got.headers['content-type']]);
  await walk.own('GET', '/stored');
  await walk.own('GET', '/');
  await walk.own('GET', '/elsewhere');
}
