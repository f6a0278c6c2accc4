// Traces: a receiver gets the spans of requests as a tree, over OTLP; one that is away or does not answer costs the clients nothing.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { send } from '../lib/http.mjs';
import { freePort, until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const value = ({ stringValue, intValue }) => stringValue ?? Number(intValue);
const named = attributes => Object.fromEntries(attributes.map(({ key, value: given }) => [key, value(given)]));

/** A receiver of OTLP over HTTP in JSON. It keeps what it gets, and refuses what OTLP does not allow. */
async function startReceiver(answer = () => 200) {
  const got = { requests: [], spans: [], resource: undefined };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      got.requests.push({ url: request.url, headers: request.headers, text: Buffer.concat(chunks).toString() });
      const status = answer(got.requests.length);
      if (status === 200) take(JSON.parse(got.requests.at(-1).text));
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  function take({ resourceSpans, ...rest }) {
    assert.deepEqual(rest, {});
    for (const { resource, scopeSpans } of resourceSpans) {
      got.resource = named(resource.attributes);
      for (const { spans } of scopeSpans) {
        for (const { attributes, ...span } of spans) {
          assert.match(span.traceId, /^[0-9a-f]{32}$/);
          assert.match(span.spanId, /^[0-9a-f]{16}$/);
          assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
          assert.ok(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now()) < 600_000);
          got.spans.push({ ...span, attributes: named(attributes) });
        }
      }
    }
  }
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    got,
    endpoint: `http://127.0.0.1:${server.address().port}/v1/traces`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The spans below one, as lines that are indented by their depth, in the order of their begin. */
function tree(spans, spanId, depth = 0) {
  const below = spans.filter(span => span.parentSpanId === spanId).sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
  return below.flatMap(span => [`${'  '.repeat(depth)}${span.name}`, ...tree(spans, span.spanId, depth + 1)]);
}

function cloud(code) {
  const main = path.join(tempDir(), 'main.js');
  fs.writeFileSync(main, code);
  return main;
}

for (const store of ['mongo', 'embedded']) {
  test(`${store}: the spans of a request with triggers, a web hook and a mail are one tree`, async t => {
    const receiver = await startReceiver();
    const hooked = [];
    const hook = http.createServer((request, response) => {
      hooked.push(request.headers.traceparent);
      request.resume().on('end', () => response.end('{}'));
    });
    await new Promise(resolve => hook.listen(0, '127.0.0.1', resolve));
    const mails = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'], onData: (stream, session, done) => stream.resume().on('end', done) });
    await new Promise(resolve => mails.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      receiver.stop();
      hook.close();
      mails.close();
    });
    const main = cloud(`
      Parse.Cloud.beforeSave('Order', async request => {
        request.object.set('told', request.headers.traceparent);
        await new Parse.Query('Item').find({ useMasterKey: true });
      });
      Parse.Cloud.afterDelete('Order', () => {});
      Parse.Cloud.define('refuses', () => { throw 'no'; });
    `);
    const server = await startServer(
      {
        cloud: main, verifyUserEmails: true, appName: 'Traced', publicServerURL: 'http://localhost:1/parse', mountGraphQL: true,
        emailAdapter: { module: 'smtp', options: { url: `smtp://127.0.0.1:${mails.server.address().port}`, from: 'app@example.com' } },
        traces: { endpoint: receiver.endpoint, headers: 'api-key=s%20ecret', serviceName: 'shop', resource: 'deployment.environment.name=test' },
      },
      { database: freshDatabase(store) },
    );
    const from = { traceparent: `00-${TRACE}-${PARENT}-01` };
    await server.request('POST', '/hooks/triggers', { master: true, json: { className: 'Order', triggerName: 'afterSave', url: `http://127.0.0.1:${hook.address().port}/hook?key=hidden` } });
    await server.request('POST', '/classes/Item', { master: true, json: { a: 1 } });
    await server.request('POST', '/classes/Order', { master: true, json: { total: 0 } });

    const made = await server.request('POST', '/classes/Order', { master: true, headers: from, json: { total: 1, note: 'hidden words' } });
    assert.equal(made.status, 201, made.text);
    const requestId = made.headers['x-request-id'];
    const graphql = await send(`${server.root}/graphql`, {
      method: 'POST', headers: { 'X-Parse-Application-Id': 'app', 'X-Parse-Master-Key': 'master', ...from },
      json: { query: 'query Orders($text: String) { orders(where: {note: {equalTo: $text}}) { count } }', variables: { text: 'hidden words' } },
    });
    assert.equal(graphql.body.data?.orders.count, 1, graphql.text);
    await server.request('POST', '/users', { headers: from, json: { username: 'ann', password: 'hidden password', email: 'ann@example.com' } });
    await server.request('POST', '/functions/refuses', { headers: from, json: {} });
    await server.request('GET', '/health', { headers: { traceparent: `00-${TRACE}-${PARENT}-00` } });
    await server.request('GET', '/nowhere', {});
    const { body: order } = await server.request('GET', `/classes/Order/${made.body.objectId}`, { master: true });
    const mail = span => span.name === 'send mail';
    await until(() => receiver.got.spans.some(mail), { what: 'the span of the mail' });
    // The last spans are sent when the server stops.
    assert.equal((await server.stop()).code, 0);
    const { spans, requests, resource } = receiver.got;

    const ours = spans.filter(span => span.traceId === TRACE);
    assert.equal(ours.filter(span => span.parentSpanId === PARENT && span.kind === 2).length, 4, JSON.stringify(ours.map(span => span.name)));
    const request = ours.find(span => span.name === 'POST /classes/{className}');
    assert.deepEqual(request.attributes, {
      'url.scheme': 'http', 'reparse.request_id': requestId, 'http.request.method': 'POST', 'http.route': '/classes/{className}', 'network.protocol.version': '1.1', 'http.response.status_code': 201,
    });
    const lines = tree(ours, request.spanId);
    const shape = ['beforeSave Order', '  GET /classes/{className}', '    find Item', 'insert Order', 'afterSave Order', '  POST'];
    assert.deepEqual(lines.filter(line => shape.includes(line)), shape, lines.join('\n'));
    const find = ours.find(span => span.name === 'find Item');
    assert.deepEqual([find.kind, find.attributes], [3, { 'db.system.name': store === 'mongo' ? 'mongodb' : 'sqlite', 'db.operation.name': 'find', 'db.collection.name': 'Item' }]);
    const before = ours.find(span => span.name === 'beforeSave Order');
    assert.deepEqual([before.kind, before.attributes], [1, { 'reparse.cloud.kind': 'beforeSave', 'reparse.class': 'Order' }]);
    assert.equal(order.told, `00-${TRACE}-${before.spanId}-01`, 'the code is told where in the trace it is');
    const post = ours.find(span => span.name === 'POST');
    assert.deepEqual([post.kind, post.attributes['server.address'], post.attributes['http.response.status_code']], [3, '127.0.0.1', 200]);
    assert.equal(hooked.at(-1), `00-${TRACE}-${post.spanId}-01`);

    const api = ours.find(span => span.name === 'POST /graphql');
    assert.equal(api.attributes['graphql.operation.name'], 'Orders');
    assert.equal(api.attributes['graphql.operation.type'], 'query');
    const signUp = ours.find(span => span.name === 'POST /users');
    assert.ok(tree(ours, signUp.spanId).some(line => line.trim() === 'send mail'), tree(ours, signUp.spanId).join('\n'));
    assert.equal(ours.find(mail).attributes['reparse.mail.kind'], 'verification');
    const refused = ours.find(span => span.name === 'function refuses');
    assert.deepEqual([refused.status, refused.attributes['error.type']], [{ code: 2 }, '141']);
    // A sender that does not record its trace is followed.
    assert.ok(!ours.some(span => span.attributes['http.route'] === '/health'));
    const unknown = spans.find(span => span.attributes['http.response.status_code'] === 404);
    assert.deepEqual([unknown.name, unknown.parentSpanId, unknown.status], ['GET', undefined, undefined]);

    assert.equal(resource['service.name'], 'shop');
    assert.equal(resource['deployment.environment.name'], 'test');
    assert.ok(requests.every(({ url, headers }) => url === '/v1/traces' && headers['api-key'] === 's ecret' && headers['content-type'] === 'application/json'));
    for (const { text } of requests) assert.ok(!/hidden|ann@|"master"/.test(text), 'a span has a value or a secret');
  });
}

test('the variables of OpenTelemetry', async t => {
  const receiver = await startReceiver();
  t.after(receiver.stop);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint.replace('/v1/traces', ''), OTEL_SERVICE_NAME: 'from env', OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' };
  const server = await startServer({}, { database: freshDatabase('embedded'), env });
  for (let count = 0; count < 200; count++) await server.request('GET', '/classes/Thing');
  await server.stop();
  assert.equal(receiver.got.resource['service.name'], 'from env');
  const roots = receiver.got.spans.filter(span => span.name === 'GET /classes/{className}').length;
  assert.ok(roots > 50 && roots < 150, `${roots} of 200`);
  const off = await startServer({}, { database: freshDatabase('embedded'), env: { ...env, OTEL_SDK_DISABLED: 'true' } });
  const before = receiver.got.requests.length;
  await off.request('GET', '/classes/Thing');
  await off.stop();
  assert.equal(receiver.got.requests.length, before);
});

test('a batch that the receiver cannot take for now is sent again', async t => {
  const receiver = await startReceiver(count => (count === 1 ? 503 : 200));
  t.after(receiver.stop);
  const server = await startServer({ traces: { endpoint: receiver.endpoint } }, { database: freshDatabase('embedded') });
  await server.request('GET', '/classes/Thing');
  await until(() => receiver.got.spans.some(span => span.name === 'GET /classes/{className}'), { what: 'the span' });
  await server.stop();
  assert.equal(receiver.got.requests[0].text, receiver.got.requests[1].text);
});

test('a receiver that is away, or never answers, costs nothing', async t => {
  // It takes connections, and reads nothing.
  const silent = net.createServer({ pauseOnConnect: true }, () => {});
  const held = new Set();
  silent.on('connection', socket => held.add(socket));
  await new Promise(resolve => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    held.forEach(socket => socket.destroy());
    silent.close();
  });
  for (const port of [silent.address().port, await freePort()]) {
    const server = await startServer({ traces: { endpoint: `http://127.0.0.1:${port}/v1/traces` }, metrics: { enabled: true } }, { database: freshDatabase('embedded') });
    await server.request('POST', '/classes/Thing', { master: true, json: { a: 1 } });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
    let answered = 0;
    // More spans than the queue holds.
    for (let round = 0; round < 30; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => server.request('GET', '/classes/Thing?limit=1', { agent })));
      answered += answers.filter(answer => answer.status === 200).length;
    }
    assert.equal(answered, 3000);
    const metrics = (await send(`${server.root}/metrics`)).text;
    assert.match(metrics, /reparse_trace_spans_total\{outcome="dropped"\} [1-9]/);
    agent.destroy();
    const { code } = await server.stop();
    assert.equal(code, 0);
  }
});
