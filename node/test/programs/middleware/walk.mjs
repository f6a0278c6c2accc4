import { everyday } from '../../walk.mjs';

export default async function (walk) {
  await everyday(walk);
  await walk.request('GET', '/classes/GameScore', { headers: { 'X-Blocked': '1' } });
  await walk.request('POST', '/functions/ip', { body: {}, headers: { 'X-Forwarded-For': '203.0.113.9' } });
  await walk.request('GET', '/schemas/GameScore', { master: true, headers: { 'X-Forwarded-For': '203.0.113.9' } });
  await walk.request('POST', '/classes/GameScore', { body: '{broken', headers: { 'Content-Type': 'application/json' } });
  await walk.request('POST', '/classes/GameScore', { body: '{"text":"as the SDK in browsers sends it","_method":"GET"}', headers: { 'Content-Type': 'text/plain' } });
  await walk.own('POST', '/echo', { body: { a: [1] } });
  await walk.own('GET', '/log');
}
