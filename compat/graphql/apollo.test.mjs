// Apollo Client works with users and classes, as an app would.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gql } from '@apollo/client/core/index.js';
import { buildClientSchema, getIntrospectionQuery, validateSchema } from 'graphql';
import { startServer } from '../lib/server.mjs';
import { apollo, options } from './support.mjs';

/** The Parse code of the first error. */
async function code(promise) {
  try {
    await promise;
  } catch (error) {
    return error.graphQLErrors?.[0]?.extensions?.code ?? error.networkError?.result?.errors?.[0]?.extensions?.code ?? error.networkError?.result?.code;
  }
  assert.fail('no error');
}

describe('Apollo Client', () => {
  let server;
  let anyone;
  let session;
  before(async () => {
    server = await startServer(options);
    anyone = apollo(server);
  });
  after(() => server?.stop());

  test('users: sign up, log in, viewer, update, log out', async () => {
    const SIGN_UP = gql`
      mutation SignUp($input: SignUpInput!) {
        signUp(input: $input) { clientMutationId viewer { sessionToken user { id objectId username email } } }
      }`;
    const input = { clientMutationId: 'one', fields: { username: 'ada', password: 'secret', email: 'ada@example.com' } };
    const signed = (await anyone.mutate({ mutation: SIGN_UP, variables: { input } })).data.signUp;
    assert.equal(signed.clientMutationId, 'one');
    assert.equal(signed.viewer.user.username, 'ada');
    assert.equal(await code(anyone.mutate({ mutation: SIGN_UP, variables: { input } })), 202);

    const LOG_IN = gql`
      mutation LogIn($input: LogInInput!) { logIn(input: $input) { viewer { sessionToken user { id } } } }`;
    assert.equal(await code(anyone.mutate({ mutation: LOG_IN, variables: { input: { username: 'ada', password: 'no' } } })), 101);
    const logged = (await anyone.mutate({ mutation: LOG_IN, variables: { input: { username: 'ada', password: 'secret' } } })).data.logIn;
    assert.equal(logged.viewer.user.id, signed.viewer.user.id);
    session = logged.viewer.sessionToken;

    const ada = apollo(server, { session });
    const VIEWER = gql`query { viewer { sessionToken user { id username email ACL { users { userId read write } public { read } } } } }`;
    const { viewer } = (await ada.query({ query: VIEWER })).data;
    assert.equal(viewer.sessionToken, session);
    assert.equal(viewer.user.ACL.users[0].userId, viewer.user.id);
    assert.equal(await code(anyone.query({ query: VIEWER })), 209);

    const UPDATE = gql`mutation Update($input: UpdateUserInput!) { updateUser(input: $input) { user { id email } } }`;
    const changed = await ada.mutate({ mutation: UPDATE, variables: { input: { id: viewer.user.id, fields: { email: 'ada@example.org' } } } });
    assert.equal(changed.data.updateUser.user.email, 'ada@example.org');
    assert.equal(await code(anyone.mutate({ mutation: UPDATE, variables: { input: { id: viewer.user.id, fields: { email: 'x@example.org' } } } })), 206);

    const second = (await anyone.mutate({ mutation: LOG_IN, variables: { input: { username: 'ada', password: 'secret' } } })).data.logIn.viewer.sessionToken;
    const LOG_OUT = gql`mutation { logOut(input: { clientMutationId: "bye" }) { clientMutationId ok } }`;
    const other = apollo(server, { session: second });
    assert.deepEqual((await other.mutate({ mutation: LOG_OUT })).data.logOut, { __typename: 'LogOutPayload', clientMutationId: 'bye', ok: true });
    assert.equal(await code(other.query({ query: VIEWER })), 209);
  });

  test('classes: define, create, link, find, page, update, delete', async () => {
    const master = apollo(server, { master: true });
    const ada = apollo(server, { session });
    const CREATE_CLASS = gql`
      mutation ($input: CreateClassInput!) { createClass(input: $input) { class { name schemaFields { name __typename } } } }`;
    const schemaFields = {
      addStrings: [{ name: 'title' }], addNumbers: [{ name: 'stars' }], addDates: [{ name: 'when' }], addArrays: [{ name: 'tags' }],
      addPointers: [{ name: 'author', targetClassName: '_User' }, { name: 'reply', targetClassName: 'Note' }],
      addRelations: [{ name: 'fans', targetClassName: '_User' }], addGeoPoint: { name: 'place' },
    };
    assert.equal(await code(ada.mutate({ mutation: CREATE_CLASS, variables: { input: { name: 'Note', schemaFields } } })), 119);
    await master.mutate({ mutation: CREATE_CLASS, variables: { input: { name: 'Note', schemaFields } } });

    const me = (await ada.query({ query: gql`{ viewer { user { id objectId } } }` })).data.viewer.user;
    const CREATE = gql`
      mutation ($input: CreateNoteInput!) {
        createNote(input: $input) { note { id title stars when author { id username } place { latitude } tags { ... on Element { value } } } }
      }`;
    const ids = [];
    for (let n = 0; n < 5; n++) {
      const fields = {
        title: `note ${n}`, stars: n, when: '2024-05-06T07:08:09.010Z', tags: ['a', n], author: { link: me.id },
        fans: { add: [me.objectId] }, place: { latitude: n, longitude: n },
      };
      const { note } = (await ada.mutate({ mutation: CREATE, variables: { input: { fields } } })).data.createNote;
      assert.equal(note.author.username, 'ada');
      assert.equal(note.when, '2024-05-06T07:08:09.010Z');
      assert.deepEqual(note.tags.map(({ value }) => value), ['a', n]);
      ids.push(note.id);
    }

    const FIND = gql`
      query ($first: Int, $after: String, $where: NoteWhereInput) {
        notes(first: $first, after: $after, where: $where, order: [stars_DESC]) {
          count pageInfo { hasNextPage endCursor } edges { cursor node { id title stars fans { count edges { node { username } } } } }
        }
      }`;
    const where = { author: { have: { username: { equalTo: 'ada' } } }, stars: { greaterThan: 0 } };
    const stars = [];
    let after = null;
    do {
      const { notes } = (await ada.query({ query: FIND, variables: { first: 3, after, where } })).data;
      assert.equal(notes.count, 4);
      stars.push(...notes.edges.map(({ node }) => node.stars));
      assert.ok(notes.edges.every(({ node }) => node.fans.count === 1 && node.fans.edges[0].node.username === 'ada'));
      after = notes.pageInfo.hasNextPage ? notes.pageInfo.endCursor : null;
    } while (after);
    assert.deepEqual(stars, [4, 3, 2, 1]);

    const UPDATE = gql`mutation ($input: UpdateNoteInput!) { updateNote(input: $input) { note { title stars reply { title } } } }`;
    const fields = { title: null, reply: { createAndLink: { title: 'made' } } };
    const { note } = (await ada.mutate({ mutation: UPDATE, variables: { input: { id: ids[0], fields } } })).data.updateNote;
    assert.equal(note.title, null);
    assert.equal(note.reply.title, 'made');

    const DELETE = gql`mutation ($input: DeleteNoteInput!) { deleteNote(input: $input) { note { id } } }`;
    assert.equal((await ada.mutate({ mutation: DELETE, variables: { input: { id: ids[1] } } })).data.deleteNote.note.id, ids[1]);
    assert.equal(await code(ada.mutate({ mutation: DELETE, variables: { input: { id: ids[1] } } })), 101);
    assert.equal(await code(ada.query({ query: gql`{ notes { nope } }` })), 'GRAPHQL_VALIDATION_FAILED');
  });

  test('the schema that tools read is a valid one', async () => {
    const { data } = await apollo(server, { master: true }).query({ query: gql(getIntrospectionQuery()) });
    const schema = buildClientSchema(data);
    assert.deepEqual(validateSchema(schema), []);
    assert.ok(schema.getQueryType().getFields().notes);
  });
});
