import { createRequire } from 'node:module';
import { until } from '../../support.mjs';

const { WebSocket } = createRequire(import.meta.url)('ws');

/** A client that keeps what it is told. */
async function listen(walk, path) {
  const socket = new WebSocket(`ws://127.0.0.1:${walk.program.port}${path}`);
  const heard = [];
  socket.on('message', text => heard.push(JSON.parse(text)));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const say = async (message, answers = 1) => {
    const before = heard.length;
    socket.send(JSON.stringify(message));
    await until(() => heard.length >= before + answers, `an answer to ${JSON.stringify(message)}`);
  };
  const hear = number => until(() => heard.length >= number, `${number} messages, not ${JSON.stringify(heard)}`);
  return { socket, heard, say, hear };
}

export default async function (walk) {
  await walk.request('POST', '/classes/Message', { body: { text: 'first', room: 0 } });
  const client = await listen(walk, '/parse');
  await client.say({ op: 'connect', applicationId: 'app' });
  await client.say({ op: 'subscribe', requestId: 1, query: { className: 'Message', where: { room: 5 } } });
  const made = await walk.request('POST', '/classes/Message', { body: { text: 'in the room', room: 5 } });
  await client.hear(3);
  await walk.request('POST', '/classes/Message', { body: { text: 'in another', room: 6 } });
  await walk.request('PUT', `/classes/Message/${made.body.objectId}`, { body: { text: 'changed' } });
  await client.hear(4);
  await walk.request('PUT', `/classes/Message/${made.body.objectId}`, { body: { room: 6 } });
  await client.hear(5);
  await client.say({ op: 'unsubscribe', requestId: 1 });
  await client.say({ op: 'nonsense' });
  for (const message of client.heard) {
    delete message.clientId;
    delete message.installationId;
    walk.note('live', message);
  }
  client.socket.close();
}
