// Relay's compiler takes the schema of the server, with its rules about nodes, connections and edges; the server runs what it makes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { npm, run, version } from './support.mjs';
import { startServer } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';

const APP = `
import { graphql } from 'relay-runtime';

export const row = graphql\`
  fragment App_row on Song { id objectId title createdAt ACL { public { read } } }
\`;
export const list = graphql\`
  fragment App_list on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }, where: { type: "SongWhereInput" })
  @refetchable(queryName: "AppPageQuery") {
    songs(first: $count, after: $cursor, where: $where, order: [title_ASC]) @connection(key: "App_songs", filters: ["where"]) {
      count
      edges { cursor node { ...App_row album { id name } } }
    }
  }
\`;
export const query = graphql\`
  query AppQuery($where: SongWhereInput) { ...App_list @arguments(where: $where) viewer @include(if: false) { sessionToken } }
\`;
export const node = graphql\`
  query AppNodeQuery($id: ID!) { node(id: $id) { __typename ... on Song { id title } } }
\`;
export const create = graphql\`
  mutation AppCreateMutation($input: CreateSongInput!, $connections: [ID!]!) {
    createSong(input: $input) { song @appendNode(connections: $connections, edgeTypeName: "SongEdge") { ...App_row } }
  }
\`;
export const remove = graphql\`
  mutation AppDeleteMutation($input: DeleteSongInput!, $connections: [ID!]!) {
    deleteSong(input: $input) { song { id @deleteEdge(connections: $connections) } }
  }
\`;
`;

describe(`Relay's compiler ${version('relay-compiler')}`, () => {
  let server;
  let made;
  const ask = async (query, variables, master = false) => {
    const answer = await server.request('POST', '/../graphql', { json: { query, variables }, master });
    assert.equal(answer.body?.errors, undefined, answer.text);
    return answer.body.data;
  };

  before(async () => {
    server = await startServer({ mountGraphQL: true, graphQLPath: '/graphql' });
    const make = (className, fields) => server.request('POST', `/schemas/${className}`, { master: true, json: { className, fields } });
    await make('Album', { name: { type: 'String' } });
    await make('Song', { title: { type: 'String' }, album: { type: 'Pointer', targetClass: 'Album' } });
  });
  after(() => server?.stop());

  test('compiles an app with fragments, pages and mutations', async () => {
    const folder = tempDir('relay');
    const schema = buildClientSchema(await ask(getIntrospectionQuery(), undefined, true));
    fs.writeFileSync(path.join(folder, 'schema.graphql'), printSchema(schema));
    fs.mkdirSync(path.join(folder, 'src'));
    fs.writeFileSync(path.join(folder, 'src/App.js'), APP);
    fs.writeFileSync(path.join(folder, 'package.json'), '{}');
    fs.writeFileSync(path.join(folder, 'relay.config.json'), JSON.stringify({ src: './src', schema: './schema.graphql', language: 'javascript' }));
    await run(process.execPath, [npm('relay-compiler/cli.js'), 'relay.config.json'], { cwd: folder, env: { FORCE_COLOR: '0' } });
    const require = createRequire(import.meta.url);
    made = name => {
      const file = path.join(folder, 'src/__generated__', `${name}.graphql.js`);
      return (require(file).default ?? require(file)).params.text;
    };
    assert.match(made('AppQuery'), /__typename/);
  });

  test('the server runs what it made', async () => {
    const ids = [];
    for (const title of ['a', 'b', 'c']) {
      const { createSong } = await ask(made('AppCreateMutation'), { input: { fields: { title, album: { createAndLink: { name: `of ${title}` } } } } });
      ids.push(createSong.song.id);
    }
    const first = (await ask(made('AppQuery'), {})).songs;
    assert.deepEqual(first.edges.map(({ node }) => [node.title, node.album.name]), [['a', 'of a'], ['b', 'of b']]);
    assert.equal(first.count, 3);
    assert.equal(first.pageInfo.hasNextPage, true);
    const second = (await ask(made('AppPageQuery'), { count: 2, cursor: first.pageInfo.endCursor, where: null })).songs;
    assert.deepEqual(second.edges.map(({ node }) => node.id), [ids[2]]);
    assert.equal(second.pageInfo.hasNextPage, false);
    const { node } = await ask(made('AppNodeQuery'), { id: ids[1] });
    assert.deepEqual([node.__typename, node.title], ['Song', 'b']);
    const { deleteSong } = await ask(made('AppDeleteMutation'), { input: { id: ids[0] } });
    assert.equal(deleteSong.song.id, ids[0]);
    assert.equal((await ask(made('AppQuery'), { where: { title: { equalTo: 'a' } } })).songs.count, 0);
  });
});
