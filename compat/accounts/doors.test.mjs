// Rate limits, `routeAllowList`, and how proxies and addresses decide who the caller is.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { send } from '../lib/http.mjs';
import { startServer } from '../lib/server.mjs';

/** Runs with a server of its own. */
async function using(options, run) {
  const server = await startServer(options);
  try {
    return await run(server);
  } finally {
    await server.stop();
  }
}
const limit = (requestPath, more) => ({ requestPath, requestTimeWindow: 600_000, requestCount: 2, includeInternalRequests: true, ...more });
const wrong = { username: 'nobody', password: 'wrong' };
const tooMany = answer => answer.status === 429 && answer.body.code === 100;
const from = ip => ({ headers: { 'X-Forwarded-For': ip } });

describe('rate limits', () => {
  // 775h-3xrc-c228, #10214, #10234, #10262
  test('adv_775h however a call is said, it is the same call', async () => {
    const ways = {
      plain: server => server.request('POST', '/login', { json: wrong }),
      GET: server => server.request('GET', '/login', { query: wrong }),
      'the other method, overridden': server => server.request('POST', '/login', { json: { ...wrong, _method: 'GET' } }),
      'as the SDK sends it': server => server.request('POST', '/login', { data: JSON.stringify({ ...wrong, _method: 'GET', _ApplicationId: 'app' }), headers: { 'Content-Type': 'text/plain', 'X-Parse-Application-Id': '' } }),
      capitals: server => server.request('POST', '/LOGIN', { json: wrong }),
      'mixed letters': server => server.request('POST', '/LogIn', { json: wrong }),
      'a slash more': server => server.request('POST', '/login/', { json: wrong }),
      'two slashes': server => server.request('POST', '//login', { json: wrong }),
      'a query': server => server.request('POST', '/login?x=1', { json: wrong }),
      'an encoded letter': server => server.request('POST', '/%6cogin', { json: wrong }),
      'a way around': server => send(`${server.root}/parse/users/%2e%2e/login`, { method: 'POST', json: wrong, headers: { 'X-Parse-Application-Id': 'app' } }),
      'a session token': server => server.request('POST', '/login', { json: wrong, session: 'r:00000000000000000000000000000000' }),
      'another installation': server => server.request('POST', '/login', { json: wrong, installation: `phone ${Math.random()}` }),
      'another address, said by nobody we trust': server => server.request('POST', '/login', { json: wrong, ...from(`9.9.9.${Math.floor(Math.random() * 250)}`) }),
      'a batch': server => server.request('POST', '/batch', { json: { requests: [{ method: 'POST', path: '/parse/login', body: wrong }] } }),
      'a batch in capitals': server => server.request('POST', '/batch', { json: { requests: [{ method: 'post', path: '/parse/LOGIN/?x=1', body: wrong }] } }),
      'a batch with override': server => server.request('POST', '/batch', { json: { requests: [{ method: 'POST', path: '/parse/login', body: { ...wrong, _method: 'GET' } }] } }),
    };
    for (const [name, way] of Object.entries(ways)) {
      await using({ rateLimit: [limit('/login')] }, async server => {
        for (let round = 0; round < 2; round += 1) {
          const answer = await ways.plain(server);
          assert.equal(answer.body.code, 101, answer.text);
          assert.equal(answer.headers['x-ratelimit-remaining'], String(1 - round));
        }
        const answer = await way(server);
        assert.ok(answer.body?.code === 100 || answer.status === 404, `${name}: ${answer.status} ${answer.text}`);
        assert.ok(answer.body?.code !== 101, name);
      });
    }
    // and the other way round: what was said in another way has been counted
    await using({ rateLimit: [limit('/login', { requestCount: 6 })] }, async server => {
      for (const name of ['GET', 'as the SDK sends it', 'capitals', 'a slash more', 'a batch', 'the other method, overridden']) await ways[name](server);
      assert.ok(tooMany(await ways.plain(server)));
    });
  });

  test('the refusal, and what is not concerned', async () => {
    await using({ rateLimit: [limit('/login', { errorResponseMessage: 'Slow down.' }), limit('/classes/:name', { requestMethods: ['POST'] }), limit('/sessions{/*rest}')] }, async server => {
      for (let round = 0; round < 2; round += 1) assert.equal((await server.request('POST', '/login', { json: wrong })).status, 404);
      const answer = await server.request('POST', '/login', { json: wrong });
      assert.deepEqual([answer.status, answer.body], [429, { code: 100, error: 'Slow down.' }]);
      assert.ok(Number(answer.headers['retry-after']) > 500 && Number(answer.headers['retry-after']) <= 600);
      assert.deepEqual([answer.headers['x-ratelimit-limit'], answer.headers['x-ratelimit-remaining']], ['2', '0']);
      assert.ok(Math.abs(Number(answer.headers['x-ratelimit-reset']) - Date.now() / 1000 - 600) < 60);
      // a batch is refused as a whole, before any part runs
      const requests = [{ method: 'POST', path: '/parse/users', body: { username: 'part', password: 'p' } }, { method: 'POST', path: '/parse/login', body: wrong }];
      const batch = await server.request('POST', '/batch', { json: { requests } });
      assert.deepEqual([batch.status, batch.body], [400, { code: 100, error: 'Slow down.' }]);
      assert.equal((await server.request('GET', '/users', { master: true })).body.results.length, 0);
      for (let round = 0; round < 5; round += 1) {
        assert.equal((await server.request('POST', '/login', { json: wrong, master: true })).status, 404, 'the master key is exempt');
        assert.equal((await server.request('GET', '/users')).status, 200);
        assert.ok(!tooMany(await server.request('GET', '/classes/Any')), 'another method');
      }
      for (let round = 0; round < 2; round += 1) assert.ok(!tooMany(await server.request('POST', `/classes/Any${round}`, { json: {} })));
      assert.ok(tooMany(await server.request('POST', '/classes/Any3', { json: {} })));
      for (let round = 0; round < 2; round += 1) assert.ok(!tooMany(await server.request('GET', '/sessions/me')));
      assert.ok(tooMany(await server.request('GET', '/sessions')) && tooMany(await server.request('GET', '/sessions/x')));
    });
    await using({ rateLimit: [limit('/schemas', { includeMasterKey: true }), limit('/users', { includeInternalRequests: false })] }, async server => {
      for (let round = 0; round < 2; round += 1) assert.equal((await server.request('GET', '/schemas', { master: true })).status, 200);
      assert.ok(tooMany(await server.request('GET', '/schemas', { master: true })));
      for (let round = 0; round < 5; round += 1) assert.equal((await server.request('GET', '/users')).status, 200, 'from this machine');
    });
  });

  test('a window ends', async () => {
    await using({ rateLimit: [limit('/login', { requestTimeWindow: 1000 })] }, async server => {
      for (let round = 0; round < 3; round += 1) await server.request('POST', '/login', { json: wrong });
      assert.ok(tooMany(await server.request('POST', '/login', { json: wrong })));
      await new Promise(resolve => setTimeout(resolve, 1100));
      assert.equal((await server.request('POST', '/login', { json: wrong })).status, 404);
    });
  });

  test('zones: address, user, session, everybody', async () => {
    // who is refused: [user, address] in this order, two allowed each
    const calls = [['a', '1.1.1.1'], ['a', '1.1.1.1'], ['a', '1.1.1.1'], ['a', '2.2.2.2'], ['b', '1.1.1.1'], ['b', '3.3.3.3'], ['b', '4.4.4.4']];
    const expected = {
      ip: [200, 200, 429, 200, 429, 200, 200, 200],
      user: [200, 200, 429, 429, 200, 200, 429, 429],
      session: [200, 200, 429, 429, 200, 200, 429, 200],
      global: [200, 200, 429, 429, 429, 429, 429, 429],
    };
    for (const [zone, statuses] of Object.entries(expected)) {
      await using({ trustProxy: 1, rateLimit: [limit('/users/me', { zone })] }, async server => {
        const sessions = {};
        for (const username of ['a', 'b']) sessions[username] = (await server.request('POST', '/users', { json: { username, password: 'p' } })).body.sessionToken;
        const got = [];
        for (const [user, ip] of calls) got.push((await server.request('GET', '/users/me', { session: sessions[user], ...from(ip) })).status);
        const again = (await server.request('POST', '/login', { json: { username: 'a', password: 'p' } })).body.sessionToken;
        got.push((await server.request('GET', '/users/me', { session: again, ...from('9.9.9.9') })).status);
        assert.deepEqual(got, statuses, zone);
        // without a session the address counts, and addresses of one network of IPv6 are one
        if (zone === 'ip') {
          for (const ip of ['2001:db8::1', '2001:db8::2']) assert.ok(!tooMany(await server.request('GET', '/users/me', from(ip))));
          assert.ok(tooMany(await server.request('GET', '/users/me', from('2001:db8::3'))));
        }
      });
    }
  });

  // #10664
  test('a caller that a proxy calls 127.0.0.1 is not from this machine', async () => {
    await using({ trustProxy: 1, rateLimit: [limit('/login', { includeInternalRequests: false })] }, async server => {
      for (const ip of ['127.0.0.1', '::1', '::ffff:127.0.0.1', 'unknown']) {
        const answers = [];
        for (let round = 0; round < 3; round += 1) answers.push(await server.request('POST', '/login', { json: wrong, ...from(ip) }));
        assert.ok(tooMany(answers[2]), ip);
      }
    });
  });
});

describe('routeAllowList', () => {
  // p84r-h6rx-f2xr
  test('adv_p84r only what is listed, also in a batch', async () => {
    await using({ routeAllowList: ['health', 'users', 'login', 'classes/Open.*', 'batch'], allowClientClassCreation: true }, async server => {
      const refused = answer => assert.deepEqual([answer.status, answer.body], [400, { code: 119, error: 'Permission denied' }], answer.text);
      const { sessionToken } = (await server.request('POST', '/users', { json: { username: 'u', password: 'p' } })).body;
      const as = { session: sessionToken };
      assert.equal((await server.request('POST', '/classes/Open', { ...as, json: {} })).status, 201);
      assert.equal((await server.request('GET', '/classes/Open/', as)).status, 200);
      // the same route in another spelling
      assert.equal((await server.request('GET', '/CLASSES/%4Fpen', as)).status, 200);
      for (const where of ['/users/me', '/users/x', '/sessions', '/classes/Shut', '/classes/_User', '/loginAs', '/xlogin', '/login/x', '/config', '/classes/Shut/../Open/..%2fShut', '/classes%2fOpen']) {
        const answer = await server.request('GET', where, as);
        assert.ok(answer.status >= 400 && !answer.body?.results, `${where} ${answer.text}`);
      }
      refused(await server.request('GET', '/classes/Shut', as));
      refused(await server.request('POST', '/classes/Shut', { ...as, json: { _method: 'GET' } }));
      refused(await server.request('POST', '/functions/classes/Open', { ...as, json: {} }));
      for (const requests of [
        [{ method: 'GET', path: '/parse/classes/Shut' }],
        [{ method: 'POST', path: '/parse/classes/Open', body: { part: 1 } }, { method: 'POST', path: '/parse/classes/Shut', body: {} }],
        [{ method: 'GET', path: '/parse/sessions' }],
        [{ method: 'PUT', path: '/parse/users/x', body: {} }],
      ]) {
        refused(await server.request('POST', '/batch', { ...as, json: { requests } }));
        refused(await server.request('POST', '/batch', { ...as, json: { requests, transaction: true } }));
      }
      assert.equal((await server.request('GET', '/classes/Open', { ...as, query: { where: { part: 1 } } })).body.results.length, 0, 'no part has run');
      assert.equal((await server.request('GET', '/schemas', { master: true })).status, 200);
      const batch = await server.request('POST', '/batch', { master: true, json: { requests: [{ method: 'GET', path: '/parse/classes/Shut' }] } });
      assert.equal(batch.status, 200, batch.text);
    });
  });
});

describe('addresses', () => {
  const asMaster = (server, ip) => server.request('GET', '/schemas', { master: true, ...(ip === undefined ? {} : from(ip)) });
  const check = (options, table) =>
    using(options, async server => {
      for (const [ip, good] of table) {
        const answer = await asMaster(server, ip);
        assert.equal(answer.status, good ? 200 : 403, `${JSON.stringify(options)} ${ip} ${answer.text}`);
        if (!good) assert.deepEqual(answer.body, { error: 'unauthorized' });
      }
    });

  // vm5r-c87r-pf6x
  test('adv_vm5r nobody becomes somebody by a header', async () => {
    await check({}, [[undefined, true], ['9.9.9.9', true]]);
    await check({ masterKeyIps: ['10.0.0.1'] }, [[undefined, false], ['10.0.0.1', false], ['10.0.0.1, 10.0.0.1', false], ['::ffff:10.0.0.1', false]]);
  });

  test('trusted hops are counted from the right', async () => {
    await check({ trustProxy: 1, masterKeyIps: ['10.0.0.1'] }, [
      [undefined, false],
      ['10.0.0.1', true],
      ['9.9.9.9, 10.0.0.1', true],
      ['10.0.0.1, 9.9.9.9', false],
      ['10.0.0.1,10.0.0.1,9.9.9.9', false],
      ['rubbish', false],
      ['', false],
    ]);
    await check({ trustProxy: 2, masterKeyIps: ['10.0.0.1', '127.0.0.1'] }, [
      ['10.0.0.1, 9.9.9.9', true],
      ['9.9.9.9, 10.0.0.1', false],
      ['10.0.0.1, 9.9.9.9, 127.0.0.1', false],
      ['rubbish', false],
      ['10.0.0.1, rubbish', false],
    ]);
    await check({ trustProxy: 'loopback, 9.9.9.0/24', masterKeyIps: ['10.0.0.0/8'] }, [
      ['10.1.2.3', true],
      ['10.1.2.3, 9.9.9.9', true],
      ['10.1.2.3, 9.9.8.9', false],
      ['10.1.2.3, 8.8.8.8, 9.9.9.9', false],
      ['11.1.2.3', false],
    ]);
    // several lines are one list
    await using({ trustProxy: 1, masterKeyIps: ['10.0.0.1'] }, async server => {
      const lines = list => asMaster(server, list);
      assert.equal((await lines(['10.0.0.1', '9.9.9.9'])).status, 403);
      assert.equal((await lines(['9.9.9.9', '10.0.0.1'])).status, 200);
    });
  });

  test('each key has addresses of its own', async () => {
    await using({ trustProxy: 1, readOnlyMasterKey: 'ro', masterKeyIps: ['10.0.0.1'], maintenanceKeyIps: ['10.0.0.2'], readOnlyMasterKeyIps: ['10.0.0.3', '2001:db8::/32'] }, async server => {
      const { objectId } = (await server.request('POST', '/users', { json: { username: 'u', password: 'p' }, ...from('9.9.9.9') })).body;
      const keys = { 'X-Parse-Master-Key': ['master', '10.0.0.1'], 'X-Parse-Maintenance-Key': ['maint', '10.0.0.2'] };
      for (const [header, [key, home]] of Object.entries(keys)) {
        for (const ip of ['10.0.0.1', '10.0.0.2', '10.0.0.3', '127.0.0.1']) {
          const answer = await server.request('GET', `/users/${objectId}`, { headers: { [header]: key, 'X-Forwarded-For': ip } });
          assert.equal(answer.status, ip === home ? 200 : 403, `${header} ${ip} ${answer.text}`);
        }
      }
      for (const [ip, status] of [['10.0.0.3', 200], ['2001:db8::7', 200], ['10.0.0.1', 403], ['2001:db9::7', 403]]) {
        const answer = await server.request('GET', '/schemas', { headers: { 'X-Parse-Master-Key': 'ro', 'X-Forwarded-For': ip } });
        assert.equal(answer.status, status, `${ip} ${answer.text}`);
      }
      // a key in the body is no way around
      const answer = await server.request('POST', '/schemas', { data: JSON.stringify({ _method: 'GET', _ApplicationId: 'app', _MasterKey: 'master' }), headers: { 'Content-Type': 'text/plain', 'X-Parse-Application-Id': '', 'X-Forwarded-For': '10.0.0.9' } });
      assert.equal(answer.status, 403, answer.text);
      // a wrong key makes an ordinary client, wherever it comes from
      const wrongKey = await server.request('GET', '/schemas', { headers: { 'X-Parse-Master-Key': 'x', 'X-Forwarded-For': '10.0.0.1' } });
      assert.equal(wrongKey.status, 403, wrongKey.text);
      assert.deepEqual(wrongKey.body.error, 'Permission denied');
    });
  });
});
