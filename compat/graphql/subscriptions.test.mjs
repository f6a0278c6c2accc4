// Subscriptions: live queries for the clients that GraphQL apps use, over web sockets and over streams of HTTP.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client/core/index.js';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions/index.js';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as sseClient } from 'graphql-sse';
import { createClient as wsClient } from 'graphql-ws';
import relay from 'relay-runtime';
import WebSocket from 'ws';
import { sleep, until } from '../lib/net.mjs';
import { keys, startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { endpoint } from './support.mjs';

const options = {
  mountGraphQL: true, allowClientClassCreation: true, graphQLSubscriptions: true, graphQLPublicIntrospection: true,
  liveQuery: { classNames: ['Note', 'Secret'] },
};
const FOLLOW = `subscription ($where: NoteWhereInput) { note(where: $where) { event object { id objectId title stars } original { stars } } }`;
const headers = { 'X-Parse-Application-Id': keys.appId };

let server;
const open = [];
before(async () => {
  server = await startServer(options);
  for (const name of ['Note', 'Secret']) await make({ title: 'first', stars: 0 }, name);
});
after(async () => {
  for (const close of open) await close();
  await server?.stop();
});

async function make(fields, name = 'Note', caller = {}) {
  const answer = await server.request('POST', `/classes/${name}`, { json: fields, ...caller });
  assert.equal(answer.status, 201, answer.text);
  return answer.body.objectId;
}
const change = async (id, fields, caller = { master: true }) => {
  const answer = await server.request('PUT', `/classes/Note/${id}`, { json: fields, ...caller });
  assert.equal(answer.status, 200, answer.text);
};
const remove = async id => assert.equal((await server.request('DELETE', `/classes/Note/${id}`)).status, 200);
const socketUrl = () => endpoint(server).replace('http', 'ws');

/** A `graphql-ws` client that sends these with its first message. */
function overSocket(connectionParams = headers, more = {}) {
  const client = wsClient({ url: socketUrl(), webSocketImpl: WebSocket, connectionParams, lazy: true, ...more });
  open.push(() => client.dispose());
  return client;
}

/**
 * Follows, by whatever `subscribe(sink)` does, and waits until something is heard: there is no sign that a subscription has begun, so marks are
 * written until one is heard. Gives what is heard after the mark.
 */
async function follow(subscribe) {
  const heard = [];
  const stop = subscribe({ next: value => heard.push(value), error: error => heard.push({ failed: error }), complete: () => heard.push('complete') });
  for (let tries = 0; tries < 100 && heard.length === 0; tries += 1) {
    await make({ title: 'mark', stars: 1000 });
    await sleep(50);
  }
  assert.ok(heard.length > 0, 'no event came');
  assert.ok(heard[0].data?.note, String(heard[0].failed?.stack ?? JSON.stringify(heard[0])));
  // All marks are told before what is written from now on.
  const events = () => heard.filter(one => one.data?.note?.object?.title !== 'mark');
  return { events, stop, heard, have: count => until(() => events().length >= count, { what: `${count} events, not ${JSON.stringify(events())}` }).then(events) };
}

/** One object from its making to its end, as a subscriber to `stars > 1` hears it. */
async function life(subscribe, { original = true } = {}) {
  const { have, stop } = await follow(subscribe);
  const id = await make({ title: 'it', stars: 0 });
  for (const stars of [5, 6, 0, 9]) await change(id, { stars });
  await remove(id);
  const events = (await have(5)).map(({ data: { note } }) => [note.event, note.object.stars, note.original?.stars]);
  const expected = [['ENTER', 5, 0], ['UPDATE', 6, 5], ['LEAVE', 0, 6], ['ENTER', 9, 0], ['DELETE', 9, undefined]];
  assert.deepEqual(events, expected.map(([event, now, before]) => [event, now, original ? before : undefined]));
  await stop();
}
const variables = { where: { stars: { greaterThan: 1 } } };

describe('clients', () => {
  test('graphql-ws', () => life(sink => overSocket().subscribe({ query: FOLLOW, variables }, sink)));

  test('graphql-ws with the headers of the request', () =>
    life(sink => overSocket(undefined, { webSocketImpl: class extends WebSocket {
      constructor(url, protocols) { super(url, protocols, { headers }); }
    } }).subscribe({ query: FOLLOW, variables }, sink)));

  test('graphql-sse', async () => {
    const client = sseClient({ url: endpoint(server), headers });
    open.push(() => client.dispose());
    await life(sink => client.subscribe({ query: FOLLOW, variables }, sink));
    // Everything else has one response.
    const answers = [];
    for await (const answer of client.iterate({ query: '{ health }' })) answers.push(answer);
    assert.deepEqual(answers, [{ data: { health: true } }]);
  });

  test('graphql-sse with one connection for everything', async () => {
    // The client adds the token to the headers it is given.
    const client = sseClient({ url: endpoint(server), headers: { ...headers }, singleConnection: true, retryAttempts: 0 });
    open.push(() => client.dispose());
    await life(sink => client.subscribe({ query: FOLLOW, variables }, sink));
    const ask = async query => {
      const answers = [];
      for await (const answer of client.iterate({ query })) answers.push(answer);
      return answers;
    };
    assert.deepEqual(await Promise.all([ask('{ health }'), ask('{ a: health }')]), [[{ data: { health: true } }], [{ data: { a: true } }]]);
    await assert.rejects(ask('{ nothing }'));
  });

  test('a shared stream is for whoever reserved it, once', async () => {
    const send = (method, query = '', more = {}, body = undefined) =>
      fetch(endpoint(server) + query, { method, body, headers: { ...headers, 'Content-Type': 'application/json', ...more } });
    const operation = id => JSON.stringify({ query: '{ health }', extensions: { operationId: id } });
    const reserved = await send('PUT');
    assert.equal(reserved.status, 201);
    const mine = { 'X-GraphQL-Event-Stream-Token': await reserved.text() };
    const events = { Accept: 'text/event-stream' };
    assert.equal((await send('GET', '', { ...events, 'X-GraphQL-Event-Stream-Token': 'none' })).status, 404);
    assert.equal((await send('POST', '', { ...mine, 'X-Parse-Master-Key': keys.masterKey }, operation('a'))).status, 404, 'of another caller');
    assert.equal((await send('POST', '', mine, '{"query":"{ health }"}')).status, 400, 'without an id');
    const stream = await send('GET', '', { ...events, ...mine });
    assert.equal(stream.status, 200);
    assert.equal((await send('GET', `?token=${mine['X-GraphQL-Event-Stream-Token']}`, events)).status, 409, 'it is open');
    const follow = JSON.stringify({ query: FOLLOW, extensions: { operationId: 'long' } });
    assert.equal((await send('POST', '', mine, follow)).status, 202);
    assert.equal((await send('POST', '', mine, follow)).status, 409, 'it runs');
    assert.equal((await send('DELETE', '?operationId=long', mine)).status, 200);
    await until(async () => (await send('POST', '', mine, follow)).status === 202, { what: 'the id to be free' });
    assert.equal((await send('POST', '', mine, operation('short'))).status, 202);
    const reader = stream.body.getReader();
    let heard = '';
    while (!heard.includes('event: complete')) heard += Buffer.from((await reader.read()).value).toString();
    assert.match(heard, /event: next\ndata: \{"id":"short","payload":\{"data":\{"health":true\}\}\}\n\nevent: complete\ndata: \{"id":"short"\}/);
    await reader.cancel();
    await until(async () => (await send('POST', '', mine, operation('late'))).status === 404, { what: 'the stream to be gone' });
  });

  const observed = (client, sink) => {
    const running = client.subscribe({ query: gql(FOLLOW), variables, fetchPolicy: 'no-cache' }).subscribe(sink);
    return () => running.unsubscribe();
  };
  test('Apollo Client over a web socket', () =>
    life(sink => observed(new ApolloClient({ link: new GraphQLWsLink(overSocket()), cache: new InMemoryCache() }), sink)));

  test('Apollo Client over multipart/mixed', () =>
    life(sink => observed(new ApolloClient({ link: new HttpLink({ uri: endpoint(server), headers }), cache: new InMemoryCache() }), sink)));

  test('urql over a web socket', () => {
    const socket = overSocket();
    const forwardSubscription = request => ({
      subscribe: sink => ({ unsubscribe: socket.subscribe({ query: request.query ?? '', variables: request.variables }, sink) }),
    });
    const client = new Client({ url: endpoint(server), preferGetMethod: false, exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription })] });
    return life(sink => client.subscription(FOLLOW, variables).subscribe(({ data, error }) => (error ? sink.error(error) : sink.next({ data }))).unsubscribe);
  });

  test('urql over a stream', () => {
    const client = new Client({
      url: endpoint(server), preferGetMethod: false, fetchOptions: { headers }, exchanges: [fetchExchange, subscriptionExchange({ forwardSubscription: () => assert.fail() })].slice(0, 1),
      fetchSubscriptions: true,
    });
    return life(sink => client.subscription(FOLLOW, variables).subscribe(({ data, error }) => (error ? sink.error(error) : sink.next({ data }))).unsubscribe);
  });

  test('Relay', () => {
    const { Environment, Network, Observable, RecordSource, Store, requestSubscription } = relay;
    const socket = overSocket();
    const subscribe = (operation, variables) => Observable.create(sink => socket.subscribe({ query: operation.text, variables }, sink));
    const environment = new Environment({ network: Network.create(() => assert.fail(), subscribe), store: new Store(new RecordSource()) });
    // What relay-compiler makes of the operation.
    const scalar = name => ({ alias: null, args: null, kind: 'ScalarField', name, storageKey: null });
    const linked = (name, concreteType, selections) =>
      ({ alias: null, args: null, concreteType, kind: 'LinkedField', name, plural: false, selections, storageKey: null });
    const object = linked('object', 'Note', ['id', 'objectId', 'title', 'stars'].map(scalar));
    const note = {
      ...linked('note', 'NoteEvent', [scalar('event'), object]),
      args: [{ kind: 'Variable', name: 'where', variableName: 'where' }],
    };
    const argumentDefinitions = [{ defaultValue: null, kind: 'LocalArgument', name: 'where' }];
    const artifact = {
      fragment: { argumentDefinitions, kind: 'Fragment', metadata: null, name: 'Follow', selections: [note], type: 'Subscription', abstractKey: null },
      kind: 'Request',
      operation: { argumentDefinitions, kind: 'Operation', name: 'Follow', selections: [note] },
      params: { cacheID: 'follow', id: null, metadata: {}, name: 'Follow', operationKind: 'subscription', text: FOLLOW.replace(' original { stars }', '') },
    };
    return life(sink => {
      const running = requestSubscription(environment, { subscription: artifact, variables, onNext: data => sink.next({ data }), onError: sink.error });
      return () => running.dispose();
    // Relay keeps one record for each id: it cannot hold the object as it was beside the object as it is.
    }, { original: false });
  });

  test('the older protocol graphql-ws', async () => {
    const socket = new WebSocket(socketUrl(), 'graphql-ws');
    open.push(() => socket.terminate());
    const said = [];
    socket.on('message', text => said.push(JSON.parse(text)));
    await new Promise(done => socket.on('open', done));
    assert.equal(socket.protocol, 'graphql-ws');
    socket.send(JSON.stringify({ type: 'connection_init', payload: headers }));
    await until(() => said.some(({ type }) => type === 'connection_ack'), { what: 'connection_ack' });
    await life(sink => {
      socket.send(JSON.stringify({ type: 'start', id: '1', payload: { query: FOLLOW, variables } }));
      socket.on('message', text => {
        const { type, payload } = JSON.parse(text);
        if (type === 'data') sink.next(payload);
      });
      return () => socket.send(JSON.stringify({ type: 'stop', id: '1' }));
    });
    await until(() => said.some(({ type }) => type === 'complete'), { what: 'complete' });
  });
});

/** A user's session token. */
async function signUp(username) {
  const answer = await server.request('POST', '/users', { json: { username, password: 'secret' } });
  return { token: answer.body.sessionToken, id: answer.body.objectId };
}

describe('rights', () => {
  test('subscribers hear what they could read, until their session ends', async () => {
    const [ada, bob] = [await signUp('ada'), await signUp('bob')];
    const as = token => sink => overSocket({ ...headers, 'X-Parse-Session-Token': token }).subscribe({ query: FOLLOW }, sink);
    const [hers, his, anyones, masters] = [
      await follow(as(ada.token)),
      await follow(sink => overSocket({ ...headers, sessionToken: bob.token }).subscribe({ query: FOLLOW }, sink)),
      await follow(sink => overSocket().subscribe({ query: FOLLOW }, sink)),
      await follow(sink => overSocket({ headers: { ...headers, 'X-Parse-Master-Key': keys.masterKey } }).subscribe({ query: FOLLOW }, sink)),
    ];
    await make({ title: 'hers', ACL: { [ada.id]: { read: true } } });
    await make({ title: 'his', ACL: { [bob.id]: { read: true } } });
    await make({ title: 'all' });
    const titles = list => list.map(({ data }) => data.note.object.title);
    assert.deepEqual(titles(await hers.have(2)), ['hers', 'all']);
    assert.deepEqual(titles(await his.have(2)), ['his', 'all']);
    assert.deepEqual(titles(await anyones.have(1)), ['all']);
    assert.deepEqual(titles(await masters.have(3)), ['hers', 'his', 'all']);

    assert.equal((await server.request('POST', '/logout', { session: ada.token, json: {} })).status, 200);
    await make({ title: 'hers again', ACL: { [ada.id]: { read: true } } });
    await make({ title: 'all again' });
    assert.deepEqual(titles(await hers.have(3)), ['hers', 'all', 'all again']);
    for (const { stop } of [hers, his, anyones, masters]) stop();
  });

  test('protected fields and closed classes', async () => {
    const permissions = { find: { '*': true }, get: { '*': true }, create: { '*': true }, update: { '*': true }, delete: { '*': true }, addField: { '*': true }, protectedFields: { '*': ['stars'] } };
    const set = async (name, classLevelPermissions) => {
      const answer = await server.request('PUT', `/schemas/${name}`, { master: true, json: { className: name, classLevelPermissions } });
      assert.equal(answer.status, 200, answer.text);
    };
    await set('Note', permissions);
    try {
      const one = await follow(sink => overSocket().subscribe({ query: FOLLOW }, sink));
      await make({ title: 'hidden', stars: 7 });
      assert.deepEqual((await one.have(1))[0].data.note.object.stars, null);
      one.stop();
      const refused = [];
      for await (const answer of overSocket().iterate({ query: FOLLOW, variables })) refused.push(answer);
      assert.equal(refused[0].errors[0].extensions.code, 119, JSON.stringify(refused));
    } finally {
      await set('Note', { ...permissions, protectedFields: {} });
    }
    await set('Secret', { ...permissions, find: {}, protectedFields: {} });
    const answers = [];
    for await (const answer of overSocket().iterate({ query: 'subscription { secret { event } }' })) answers.push(answer);
    assert.equal(answers[0].errors[0].extensions.code, 119, JSON.stringify(answers));
  });

  test('who is refused is told so', async () => {
    for (const [params, message] of [[{}, 'unauthorized'], [{ ...headers, sessionToken: 'r:none' }, 'Invalid session token']]) {
      const closed = await new Promise(done => overSocket(params, { retryAttempts: 0 }).subscribe({ query: FOLLOW }, { next: done, error: done, complete: done }));
      assert.equal(closed.code, 4403, String(closed));
      assert.equal(closed.reason, message);
      const answer = await fetch(endpoint(server), {
        method: 'POST', body: JSON.stringify({ query: FOLLOW }),
        headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', ...(params.sessionToken ? { ...headers, 'X-Parse-Session-Token': params.sessionToken } : {}) },
      });
      assert.ok([400, 403].includes(answer.status), String(answer.status));
    }
  });
});

describe('what is asked', () => {
  const all = async (query, variables) => {
    const answers = [];
    for await (const answer of overSocket().iterate({ query, variables })) answers.push(answer);
    return answers;
  };

  test('events and watch choose what is told', async () => {
    const one = await follow(sink => overSocket().subscribe({ query: 'subscription { note(events: [CREATE, DELETE]) { event object { title } } }' }, sink));
    const id = await make({ title: 'a' });
    await change(id, { stars: 3 });
    await remove(id);
    assert.deepEqual((await one.have(2)).map(({ data }) => data.note.event), ['CREATE', 'DELETE']);
    one.stop();
    const two = await follow(sink => overSocket().subscribe({ query: 'subscription { note(watch: ["stars", "title"], where: { title: { notEqualTo: "b" } }) { event object { title stars } } }' }, sink));
    const other = await make({ title: 'c', stars: 1 });
    await change(other, { unwatched: 1 });
    await change(other, { stars: 2 });
    assert.deepEqual((await two.have(2)).map(({ data }) => [data.note.event, data.note.object.stars]), [['CREATE', 1], ['UPDATE', 2]]);
    two.stop();
  });

  test('a subscription goes on where it was', async () => {
    const query = 'subscription ($resume: String) { note(resume: $resume) { resumeToken object { title } } }';
    const subscribe = resume => sink => overSocket().subscribe({ query, variables: { resume } }, sink);
    const one = await follow(subscribe(null));
    await make({ title: 'heard' });
    const { resumeToken } = (await one.have(1))[0].data.note;
    one.stop();
    await make({ title: 'missed' });
    const two = [];
    const stop = subscribe(resumeToken)({ next: ({ data }) => two.push(data.note.object.title), error: assert.fail, complete() {} });
    await until(() => two.length > 0, { what: 'what was missed' });
    assert.deepEqual(two, ['missed']);
    stop();
    const [refused] = await all('subscription { note(resume: "x") { event } }');
    assert.equal(refused.errors[0].extensions.code, 102);
  });

  test('pointers and relations are followed', async () => {
    const { id, token } = await signUp('carl');
    await make({ title: 'x', author: { __type: 'Pointer', className: '_User', objectId: id }, fans: { __op: 'AddRelation', objects: [{ __type: 'Pointer', className: '_User', objectId: id }] } });
    const one = await follow(sink => overSocket({ ...headers, sessionToken: token }).subscribe({ query: 'subscription { note { object { title author { username } fans { count edges { node { username } } } } } }' }, sink));
    await make({ title: 'y', author: { __type: 'Pointer', className: '_User', objectId: id }, fans: { __op: 'AddRelation', objects: [{ __type: 'Pointer', className: '_User', objectId: id }] } });
    const [{ data, errors }] = await one.have(1);
    assert.equal(errors, undefined);
    assert.deepEqual(data.note.object, { title: 'y', author: { username: 'carl' }, fans: { count: 1, edges: [{ node: { username: 'carl' } }] } });
    one.stop();
  });

  test('wrong documents are refused', async () => {
    for (const [query, code] of [
      ['subscription { note { nope } }', 'GRAPHQL_VALIDATION_FAILED'],
      ['subscription { note { event } secret { event } }', 'GRAPHQL_VALIDATION_FAILED'],
      ['subscription { __typename }', 'GRAPHQL_VALIDATION_FAILED'],
      ['subscription { user { event } }', 'GRAPHQL_VALIDATION_FAILED'],
      ['subscription { note(where: { title: { matchesRegex: "(" } }) { event } }', 102],
    ]) {
      const [answer] = await all(query);
      assert.equal(answer?.errors?.[0]?.extensions?.code, code, `${query}: ${JSON.stringify(answer)}`);
    }
    const plain = await fetch(endpoint(server), { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ query: FOLLOW }) });
    assert.equal(plain.status, 400);
  });

  test('queries and mutations work over a web socket, too', async () => {
    assert.deepEqual(await all('{ health }'), [{ data: { health: true } }]);
    const [made] = await all('mutation { createNote(input: { fields: { title: "over the socket" } }) { note { title } } }');
    assert.equal(made.data.createNote.note.title, 'over the socket');
  });

  test('the schema has them only where they are switched on', async () => {
    const query = '{ __schema { subscriptionType { name fields { name } } } }';
    const ask = async one => (await (await fetch(endpoint(one), { method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ query }) })).json()).data;
    const { __schema } = await ask(server);
    assert.deepEqual(__schema.subscriptionType, { name: 'Subscription', fields: [{ name: 'note' }, { name: 'secret' }] });
    const without = await startServer({ ...options, graphQLSubscriptions: false });
    open.push(() => without.stop());
    assert.equal((await ask(without)).__schema.subscriptionType, null);
  });
});

describe('bad clients', () => {
  /** Says these, and gives the code with which the server closes. */
  async function closed(messages, protocol = 'graphql-transport-ws') {
    const socket = new WebSocket(socketUrl(), protocol, { headers });
    const code = new Promise(done => socket.on('close', done));
    socket.on('error', () => {});
    await new Promise(done => socket.on('open', done));
    for (const message of messages) socket.send(message);
    return code;
  }
  const init = JSON.stringify({ type: 'connection_init' });

  test('what is none of the protocol closes the connection with a code', async () => {
    assert.equal(await closed(['no JSON']), 4400);
    // What a client still sends then does not keep it from reading why.
    const ping = JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(100_000) } });
    assert.equal(await closed(['no JSON', ...Array(200).fill(ping)]), 4400);
    assert.equal(await closed([init, '{"type":"nope"}']), 4400);
    assert.equal(await closed([Buffer.from([1, 2, 3])]), 1003);
    // Large enough that the client is still sending when the server has refused it.
    assert.equal(await closed([init, 'x'.repeat(32 << 20)]), 1009);
    assert.equal(await closed([JSON.stringify({ type: 'subscribe', id: '1', payload: { query: FOLLOW } })]), 4401);
    assert.equal(await closed([init, init]), 4429);
    assert.equal(await closed([init, '['.repeat(100_000)]), 4400);
  });

  test('an id that is in use closes the connection, one that is free again does not', async () => {
    const subscribe = query => JSON.stringify({ type: 'subscribe', id: 'same', payload: { query } });
    const hello = JSON.stringify({ type: 'connection_init', payload: headers });
    assert.equal(await closed([hello, subscribe(FOLLOW), subscribe(FOLLOW)]), 4409);

    const socket = new WebSocket(socketUrl(), 'graphql-transport-ws');
    open.push(() => socket.terminate());
    const heard = [];
    let code;
    socket.on('message', text => heard.push(JSON.parse(text)));
    socket.on('close', closing => (code = closing));
    await new Promise(done => socket.on('open', done));
    const send = message => socket.send(message);
    const completed = () => heard.filter(({ type, id }) => type === 'complete' && id === 'same').length;
    send(hello);
    // Ended by the server, twice; then by the client.
    for (const times of [1, 2]) {
      send(subscribe('{ health }'));
      await until(() => completed() === times, { what: `${times} answers` });
    }
    send(subscribe(FOLLOW));
    send(JSON.stringify({ type: 'complete', id: 'same' }));
    send(subscribe('{ health }'));
    await until(() => heard.filter(({ type }) => type === 'next').length === 3, { what: 'a third answer' });
    assert.equal(code, undefined);
  });

  test('a connection has a bounded number of subscriptions', async () => {
    const one = await startServer({ ...options, limits: { liveSubscriptions: 3, liveSockets: 2 } });
    open.push(() => one.stop());
    await one.request('POST', '/classes/Note', { json: { stars: 1, title: 'x' } });
    const client = wsClient({ url: endpoint(one).replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: headers });
    open.push(() => client.dispose());
    const refused = [];
    const stops = [0, 1, 2, 3].map(() => client.subscribe({ query: FOLLOW }, { next: answer => answer.errors && refused.push(answer), error: error => refused.push(error), complete() {} }));
    await until(() => refused.length > 0, { what: 'a refusal' });
    assert.match(JSON.stringify(refused[0]), /as many subscriptions as it may have/);
    // Two sockets in all: the request for a third is refused.
    const second = new WebSocket(endpoint(one).replace('http', 'ws'), 'graphql-transport-ws');
    open.push(() => second.terminate());
    await new Promise(done => second.on('open', done));
    const third = new WebSocket(endpoint(one).replace('http', 'ws'), 'graphql-transport-ws');
    const status = await new Promise(done => third.on('open', () => done('open')).on('unexpected-response', (_, response) => done(response.statusCode)));
    assert.equal(status, 503);
    for (const stop of stops) stop();
  });
});

test('clients go on after the end of their server', async () => {
  const database = freshDatabase();
  let one = await startServer(options, { database });
  open.push(() => one.stop());
  await one.request('POST', '/classes/Note', { json: { title: 'first', stars: 0 } });
  const heard = { socket: [], stream: [] };
  const socket = wsClient({ url: endpoint(one).replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: headers, retryAttempts: 1000, retryWait: () => sleep(50), shouldRetry: () => true });
  const stream = sseClient({ url: endpoint(one), headers, retryAttempts: 1000, retry: () => sleep(50) });
  const leaving = [];
  for (const [name, client] of [['socket', socket], ['stream', stream]]) {
    leaving.push(client.subscribe({ query: FOLLOW }, { next: ({ data }) => heard[name].push(data?.note?.object?.title), error: error => heard[name].push(error), complete() {} }));
  }
  const both = async title => {
    for (let tries = 0; tries < 200 && !Object.values(heard).every(list => list.includes(title)); tries += 1) {
      await one.request('POST', '/classes/Note', { json: { title } });
      await sleep(50);
    }
    assert.ok(Object.values(heard).every(list => list.includes(title)), JSON.stringify(heard));
  };
  await both('before');
  await one.kill();
  one = await startServer({ ...options, port: one.port }, { database });
  await both('after');
  // A server that is asked to end does not wait for them.
  await one.stop();
  for (const leave of leaving) leave();
});

test('the read-only master key reads no token of a session', async () => {
  const one = await startServer({ ...options, readOnlyMasterKey: 'ro', liveQuery: { classNames: ['Note', '_Session'] } });
  open.push(() => one.stop());
  await one.request('POST', '/users', { json: { username: 'ann', password: 'secret' } });
  const heard = { master: [], ro: [] };
  const clients = [];
  for (const [key, told] of Object.entries(heard)) {
    const connectionParams = { ...headers, 'X-Parse-Master-Key': key };
    const client = wsClient({ url: endpoint(one).replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams });
    clients.push(client);
    client.subscribe({ query: 'subscription { session { event object { objectId sessionToken } } }' }, { next: answer => told.push(answer), error: error => told.push(error), complete() {} });
  }
  for (let tries = 0; tries < 100 && Object.values(heard).some(told => told.length === 0); tries += 1) {
    await one.request('POST', '/login', { json: { username: 'ann', password: 'secret' } });
    await sleep(50);
  }
  for (const client of clients) await client.dispose();
  assert.match(heard.master[0].data.session.object.sessionToken, /^r:/);
  assert.equal(heard.ro[0]?.data?.session?.event, 'CREATE', JSON.stringify(heard.ro));
  assert.doesNotMatch(JSON.stringify(heard.ro), /"r:/);
});
