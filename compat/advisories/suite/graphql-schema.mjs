// Section B: what GraphQL tells about the schema, and which ways to GraphQL skip its guards.
import crypto from 'node:crypto';
import http from 'node:http';

const refusedIntrospection = (t, answer, what) => {
  const shown = answer.body?.data?.__schema ?? answer.body?.data?.__type ?? answer.body?.data?.s;
  t.must(!shown && !/"types":|"queryType":|"fields":\[/.test(answer.text), `${what} is answered: ${answer.text.slice(0, 150)}`);
};
const canary = async t => {
  const name = t.name('Canary');
  await t.makeClass(name, { hiddenCanaryField: { type: 'String' }, canaryNumber: { type: 'Number', required: true }, canaryLink: { type: 'Pointer', targetClass: '_User' } });
  await t.gql('{ health }');
  return name;
};
const silent = (t, answer, words, what) => {
  for (const word of words) t.must(!answer.text.includes(word), `${what}: ${answer.text.slice(0, 250)}`);
};

export default [
  {
    id: '48q3-prgv-gm4w', cve: 'CVE-2025-53364', title: 'anybody may read the GraphQL schema',
    async run(t) {
      refusedIntrospection(t, await t.gql('{ __schema { types { name } } }'), '__schema');
      refusedIntrospection(t, await t.gql('{ __type(name: "User") { fields { name } } }'), '__type');
      refusedIntrospection(t, await t.gql('{ s: __schema { queryType { name } } }'), 'an alias');
      refusedIntrospection(t, await t.gql('{ __schema { types { name } } }', { method: 'GET' }), 'GET');
    },
  },
  {
    id: 'q5q9-2rhp-33qw', title: '__type inside of fragments is answered',
    async run(t) {
      for (const query of [
        '{ ... on Query { __type(name: "User") { fields { name } } } }',
        'query { ...F } fragment F on Query { __schema { types { name } } }',
        'query($y: Boolean! = true) { ... @include(if: $y) { s: __type(name: "User") { fields { name } } } }',
        'mutation { ... on Mutation { __typename } } query Q { ... on Query { ... on Query { __type(name: "User") { fields { name } } } } }',
      ]) refusedIntrospection(t, await t.gql(query), query);
    },
  },
  {
    id: '8cph-rgr4-g5vj', cve: 'CVE-2026-47248', title: 'suggestions in errors name fields and classes',
    async run(t) {
      const name = await canary(t);
      const field = name[0].toLowerCase() + name.slice(1);
      for (const query of [`{ ${field}x(id: "x") { id } }`, `{ ${field}(id: "x") { hiddenCanaryFiel } }`, `query($a: ${name}x) { health }`]) {
        const answer = await t.gql(query);
        t.must(!/did you mean/i.test(answer.text), answer.text.slice(0, 200));
      }
    },
  },
  {
    id: '9g8f-h8f3-hjcm', title: 'suggestions come in errors of variables',
    async run(t) {
      const name = await canary(t);
      const answer = await t.gql(`mutation($i: Create${name}Input!) { create${name}(input: $i) { clientMutationId } }`, { variables: { i: { fields: { hiddenCanaryFiel: 'x' } } } });
      t.must(!/did you mean/i.test(answer.text), answer.text.slice(0, 200));
      silent(t, answer, ['hiddenCanaryField'], 'the field is named');
    },
  },
  {
    id: '2fgh-8j2g-w354', title: 'errors name required fields that the caller did not write',
    async run(t) {
      const name = await canary(t);
      for (const fields of [{}, { hiddenCanaryField: 'x' }]) {
        const byVariable = await t.gql(`mutation($i: Create${name}Input!) { create${name}(input: $i) { clientMutationId } }`, { variables: { i: { fields } } });
        silent(t, byVariable, ['canaryNumber'], 'the field is named');
      }
      silent(t, await t.gql(`mutation { create${name}(input: { fields: {} }) { clientMutationId } }`), ['canaryNumber'], 'the field is named');
    },
  },
  {
    id: 'r2g6-4f6j-f6rf', title: 'errors name the class that a pointer leads to',
    async run(t) {
      const secret = t.name('SecretTarget');
      await t.makeClass(secret, {});
      const name = t.name('Pointing');
      await t.makeClass(name, { p: { type: 'Pointer', targetClass: secret } });
      const byRest = await t.post(`/classes/${name}`, { p: { __type: 'Pointer', className: 'Other', objectId: 'x' } });
      const byGraphQL = await t.gql(`mutation { create${name}(input: { fields: { p: { link: 5 } } }) { clientMutationId } }`);
      silent(t, byGraphQL, [secret], 'GraphQL names it');
      t.needs(t.refused(byRest), 'REST takes a pointer to another class');
    },
  },
  {
    id: '6m77-f8xr-f723', title: 'errors of arguments and enum values name classes',
    async run(t) {
      const name = await canary(t);
      const plural = (name[0].toLowerCase() + name.slice(1)) + 's';
      for (const query of [`{ ${plural}(order: [nonsense]) { count } }`, `{ ${plural}(nonsense: 1) { count } }`]) {
        silent(t, await t.gql(query), [`${name}Order`, 'hiddenCanaryField', 'canaryNumber'], query);
      }
    },
  },
  {
    id: 'p2x3-8689-cwpg', cve: 'CVE-2026-32594', title: 'GraphQL over WebSocket skips the guards',
    async run(t) {
      if (!t.graphql) t.na('GraphQL is not mounted');
      for (const path of [t.graphql, t.graphql.replace('/graphql', '/subscriptions')]) {
        const status = await new Promise(resolve => {
          const request = http.request(path, { headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol': 'graphql-ws' } });
          request.on('upgrade', (response, socket) => {
            socket.destroy();
            resolve(101);
          });
          request.on('response', response => {
            response.resume();
            resolve(response.statusCode);
          });
          request.on('error', () => resolve(0));
          request.setTimeout(5000, () => request.destroy());
          request.end();
        });
        t.must(status !== 101, `${path} is upgraded without an application id`);
      }
    },
  },
  {
    id: 'q3p6-g7c4-829c', cve: 'CVE-2026-34373', title: 'GraphQL does not heed allowOrigin', config: 'origin',
    async run(t) {
      if (!t.graphql) t.na('GraphQL is not mounted');
      for (const path of [`${t.url}/health`, t.graphql]) {
        const answer = await t.request('OPTIONS', path, { headers: { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'POST' } });
        const allowed = answer.headers['access-control-allow-origin'];
        t.must(allowed !== '*' && allowed !== 'https://evil.example', `${path} allows ${allowed}`);
      }
    },
  },
  {
    id: '236h-rqv8-8q73', title: 'viewer skips the permissions of what the user links to',
    async run(t) {
      const secret = t.name('Linked');
      const id = await t.make(secret, { canary: 'viewer-canary', ACL: {} });
      const user = await t.signUp();
      const linked = await t.put(`/users/${user.id}`, { linked: { __type: 'Pointer', className: secret, objectId: id } }, { as: 'master' });
      t.needs(linked.status === 200, linked.text);
      await t.gql('{ health }');
      const answer = await t.gql('{ viewer { user { username linked { canary } } sessionToken } }', { as: user.token });
      t.must(!answer.text.includes('viewer-canary'), answer.text);
    },
  },
  {
    id: 'no-ghsa-apq', title: 'a persisted query skips the guard of introspection',
    async run(t) {
      const query = '{ __schema { types { name } } }';
      const sha256Hash = crypto.createHash('sha256').update(query).digest('hex');
      const extensions = { persistedQuery: { version: 1, sha256Hash } };
      refusedIntrospection(t, await t.gql('', { body: { query, extensions } }), 'the first request');
      refusedIntrospection(t, await t.gql('', { body: { extensions } }), 'the hash alone');
      // as master the query is kept; then anybody sends the hash
      await t.gql('', { body: { query, extensions }, as: 'master' });
      refusedIntrospection(t, await t.gql('', { body: { extensions } }), 'the hash of a query that a master sent');
      refusedIntrospection(t, await t.gql('', { body: { query: [query] } }), 'a list as query');
    },
  },
];
