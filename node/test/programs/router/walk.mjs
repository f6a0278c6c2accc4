import { everyday } from '../../walk.mjs';

export default async function (walk) {
  const parse = walk.at('/api/v2/parse');
  await everyday(parse);
  await parse.request('POST', '/functions/count', { body: {} });
  await walk.own('GET', '/plain');
  const file = await parse.request('POST', '/files/a.txt', { body: 'text', headers: { 'Content-Type': 'text/plain' } });
  await parse.request('POST', '/classes/WithFile', { body: { file: { __type: 'File', name: file.body.name, url: file.body.url } } });
  await parse.request('GET', '/classes/WithFile');
}
