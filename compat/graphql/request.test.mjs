// graphql-request, a minimal client: users, classes, errors.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ClientError, gql } from 'graphql-request';
import { startServer } from '../lib/server.mjs';
import { options, request } from './support.mjs';

/** Status and code of the refusal. */
async function refusal(promise) {
  const error = await promise.then(() => assert.fail('no error'), (reason) => reason);
  assert.ok(error instanceof ClientError, String(error));
  return [error.response.status, error.response.errors?.[0]?.extensions?.code];
}

describe('graphql-request', () => {
  let server;
  before(async () => {
    server = await startServer(options);
  });
  after(() => server?.stop());

  test('a walk', async () => {
    const anyone = request(server);
    assert.deepEqual(await anyone.request(gql`{ health }`), { health: true });
    const { signUp } = await anyone.request(
      gql`mutation ($fields: CreateUserFieldsInput) { signUp(input: { fields: $fields }) { viewer { sessionToken user { objectId } } } }`,
      { fields: { username: 'bob', password: 'secret' } },
    );
    const bob = request(server, { session: signUp.viewer.sessionToken });
    const master = request(server, { master: true });
    await master.request(gql`mutation { createClass(input: { name: "Card", schemaFields: { addStrings: [{ name: "text" }] } }) { class { name } } }`);
    const { createCard } = await bob.request(
      gql`mutation ($fields: CreateCardFieldsInput) { createCard(input: { fields: $fields }) { card { id objectId ACL { public { read write } } } } }`,
      { fields: { text: 'hello', ACL: { users: [{ userId: signUp.viewer.user.objectId, read: true, write: true }] } } },
    );
    assert.equal(createCard.card.ACL.public, null);
    const CARD = gql`query ($id: ID!) { card(id: $id) { text } }`;
    assert.deepEqual(await bob.request(CARD, { id: createCard.card.id }), { card: { text: 'hello' } });
    assert.deepEqual(await bob.request(CARD, { id: createCard.card.objectId }), { card: { text: 'hello' } });
    assert.deepEqual(await refusal(anyone.request(CARD, { id: createCard.card.id })), [200, 101]);
  });

  test('what is refused, and how', async () => {
    const anyone = request(server);
    assert.deepEqual(await refusal(anyone.request('{ nope }')), [400, 'GRAPHQL_VALIDATION_FAILED']);
    assert.deepEqual(await refusal(anyone.request('{')), [400, 'GRAPHQL_PARSE_FAILED']);
    assert.deepEqual(await refusal(anyone.request('query ($id: ID!) { user(id: $id) { id } }', {})), [400, 'BAD_USER_INPUT']);
    assert.deepEqual(await refusal(anyone.request('{ user(id: "x") { id } }')), [200, 101]);
    assert.deepEqual(await refusal(anyone.request('{ classes { name } }')), [200, 119]);
    const [status] = await refusal(request(server, { session: 'r:0' }).request('{ health }'));
    assert.equal(status, 400);
  });
});
