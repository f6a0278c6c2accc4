// Apollo Client's link for automatic persisted queries, by POST and by GET.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core/index.js';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries/index.js';
import { keys, startServer } from '../lib/server.mjs';
import { endpoint, options } from './support.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** A client, and the requests it sends: whether each has a document. */
function client(server, useGETForHashedQueries) {
  const sent = [];
  const spy = (uri, init) => {
    sent.push({ method: init.method, document: init.method === 'GET' ? new URL(uri).searchParams.has('query') : 'query' in JSON.parse(init.body) });
    return fetch(uri, init);
  };
  const http = new HttpLink({ uri: endpoint(server), headers: { 'X-Parse-Application-Id': keys.appId }, fetch: spy });
  const link = ApolloLink.from([createPersistedQueryLink({ sha256, useGETForHashedQueries }), http]);
  return { sent, apollo: new ApolloClient({ link, cache: new InMemoryCache(), defaultOptions: { query: { fetchPolicy: 'no-cache' } } }) };
}

describe('persisted queries', () => {
  let server;
  before(async () => {
    server = await startServer(options);
  });
  after(() => server?.stop());

  for (const [name, byGet, query] of [
    ['POST', false, gql`query ByPost { health }`],
    ['GET', true, gql`query ByGet { health }`],
  ]) {
    test(`${name}: the document goes over the wire once`, async () => {
      const method = byGet ? 'GET' : 'POST';
      const first = client(server, byGet);
      for (let round = 0; round < 2; round++) assert.deepEqual((await first.apollo.query({ query })).data, { health: true });
      assert.deepEqual(first.sent.map(({ document }) => document), [false, true, false]);
      assert.equal(first.sent[0].method, method);
      const second = client(server, byGet);
      assert.deepEqual((await second.apollo.query({ query })).data, { health: true });
      assert.deepEqual(second.sent, [{ method, document: false }]);
    });
  }
});
