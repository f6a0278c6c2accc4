import { gunzipSync } from 'node:zlib';
import { everyday } from '../../walk.mjs';
import { until } from '../../support.mjs';

/** Headers that the program's middleware sets, or that tell what it has done with the answer. */
const SHOWN = ['access-control-allow-origin', 'access-control-expose-headers', 'content-encoding', 'content-security-policy', 'content-type', 'x-frame-options', 'x-seen'];

export default async function (walk) {
  const at = path => walk.at(path);
  /** What is there some time after the answer. */
  const got = async (where, least) => {
    const all = [];
    await until(async () => all.push(...(await walk.program.request('GET', where, { app: null })).body) && all.length >= least, `${least} at ${where}`);
    walk.note(where, all);
  };
  const shown = (path, { status, headers }) => walk.note(`headers ${path}`, [status, ...SHOWN.map(name => [name, headers[name] ?? null]).filter(([name, value]) => value !== null || name === 'content-encoding')]);

  for (const path of ['/parse', '/late', '/own', '/log', '/small', '/all']) {
    const parse = at(path);
    const made = await parse.request('POST', '/classes/Thing', { body: { path } });
    shown(path, made);
    shown(path, await parse.request('GET', `/classes/Thing/${made.body.objectId}`));
    shown(path, await parse.request('GET', '/classes/Thing/unknown123'));
    shown(path, await parse.request('POST', '/functions/long', { body: {} }));
  }
  await got('/lines', 4);
  await got('/ended', 12);
  // An answer that is made smaller is the same one.
  for (const path of ['/small', '/all']) {
    const { raw, headers } = await walk.program.request('POST', `${path}/functions/long`, { body: {}, headers: { 'Accept-Encoding': 'gzip' } });
    walk.note('compressed', [headers['content-encoding'], headers.vary, headers['content-length'] ?? null, JSON.parse(gunzipSync(raw)).result.length]);
  }
  await everyday(at('/parse'));
}
