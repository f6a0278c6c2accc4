// A walk through the API with openapi-fetch and the types that openapi-typescript generates: walk URL APPLICATION_ID.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

type ParseError = components['schemas']['Error'];

const objectNotFound = 101;
const uploadRefused = 130;
const usernameTaken = 202;
const invalidSession = 209;

const [, , url, application] = process.argv;
assert.ok(url !== undefined && application !== undefined);
const client = createClient<paths>({ baseUrl: url, headers: { 'X-Parse-Application-Id': application } });

/** What a call gave; it must have succeeded. */
function given<T>(answer: { data?: T; error?: ParseError }): T {
  assert.ok(answer.data !== undefined, JSON.stringify(answer));
  return answer.data;
}

/** A call must have ended with this error of Parse. */
function refused(code: number, answer: { data?: unknown; error?: ParseError }): void {
  assert.equal(answer.error?.code, code, JSON.stringify(answer));
}

const account = { username: 'typescript', password: 'correct horse' };
assert.ok(given(await client.POST('/users', { body: account })).sessionToken);
refused(usernameTaken, await client.POST('/users', { body: account }));

const user = given(await client.POST('/login', { body: account }));
const token = user.sessionToken;
assert.ok(token !== undefined);
client.use({
  onRequest({ request }) {
    request.headers.set('X-Parse-Session-Token', token);
    return request;
  },
});
const me = given(await client.GET('/users/me'));
assert.deepEqual([me.objectId, me.username], [user.objectId, 'typescript']);

const team = given(await client.POST('/classes/Team', { body: { name: 'Reds' } }));
const playedAt = '2026-05-06T07:08:09.123Z';
const body: components['schemas']['GameScoreCreate'] = {
  player: 'ann',
  score: 7.5,
  cheated: false,
  tags: ['a', 1],
  playedAt: { __type: 'Date', iso: playedAt },
  place: { __type: 'GeoPoint', latitude: 52.5, longitude: 13.25 },
  team: { __type: 'Pointer', className: 'Team', objectId: team.objectId },
};
const { objectId } = given(await client.POST('/classes/GameScore', { body }));

const where = JSON.stringify({ player: 'ann', score: { $gte: 7 } });
const found = given(await client.GET('/classes/GameScore', { params: { query: { where, include: 'team', count: 1 } } }));
assert.equal(found.count, 1);
const [score] = found.results;
assert.ok(score !== undefined);
assert.deepEqual([score.objectId, score.score, score.cheated, score.playedAt?.iso], [objectId, 7.5, false, playedAt]);
assert.deepEqual([score.place?.latitude, score.place?.longitude], [52.5, 13.25]);
assert.ok(score.team !== undefined && score.team.__type === 'Object');
assert.equal(score.team.name, 'Reds');

const params = { path: { objectId } };
const change: components['schemas']['GameScoreUpdate'] = { player: 'bea', score: { __op: 'Increment', amount: 2 } };
given(await client.PUT('/classes/GameScore/{objectId}', { params, body: change }));
const changed = given(await client.GET('/classes/GameScore/{objectId}', { params }));
assert.deepEqual([changed.score, changed.player], [9.5, 'bea']);
assert.ok(changed.team !== undefined && changed.team.__type === 'Pointer');
assert.equal(changed.team.objectId, team.objectId);

given(await client.DELETE('/classes/GameScore/{objectId}', { params }));
refused(objectNotFound, await client.GET('/classes/GameScore/{objectId}', { params }));

const bytes = new Uint8Array([0, 1, 254, 255]);
// The generated type of bytes is text; they are sent as they are.
const upload = { body: bytes as unknown as string, bodySerializer: (body: unknown) => body as BodyInit };
const octets = { 'Content-Type': 'application/octet-stream' };
const file = given(await client.POST('/files/{fileName}', { params: { path: { fileName: 'a.bin' } }, headers: octets, ...upload }));
assert.ok(file.name.endsWith('_a.bin') && file.url.endsWith(file.name));
const place = { params: { path: { appId: application, fileName: file.name } } };
const data = given(await client.GET('/files/{appId}/{fileName}', { ...place, parseAs: 'arrayBuffer' }));
assert.deepEqual(new Uint8Array(data as ArrayBuffer), bytes);
assert.deepEqual(given(await client.GET('/files/{appId}/metadata/{fileName}', place)).metadata, {});
const page = { params: { path: { fileName: 'a.html' } }, headers: octets, ...upload };
refused(uploadRefused, await client.POST('/files/{fileName}', page));

// @ts-expect-error: a team has no such field
const misspelt: components['schemas']['TeamCreate'] = { nmae: 'Blues' };
// @ts-expect-error: a player is text
const wrong: components['schemas']['GameScoreCreate'] = { player: 7 };
assert.ok(misspelt && wrong);

given(await client.POST('/logout'));
refused(invalidSession, await client.GET('/users/me'));
console.log('walked');
