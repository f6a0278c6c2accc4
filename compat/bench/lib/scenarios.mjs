// The scenarios. Each has a request with placeholders, what its answer must contain, and the equivalent operation of the bare
// driver.
import { item, LARGE_FILE, PASSWORD, PER_GROUP, SMALL_FILE } from './seed.mjs';

/** A constraint for the query string. Holes are written `@list.field@` in it, which encoding leaves recognisable. */
const encoded = constraint => encodeURIComponent(JSON.stringify(constraint)).replace(/%40([\w.]+)%40/g, '${$1}');

const json = value => JSON.stringify(value);
const graphql = (query, variables) => json({ query, variables });

/** An item as a template of JSON: numbers without quotation marks. */
const newItem = n => json({ ...item(0, '@author@'), title: `New ${n}`, score: '@n@' })
  .replace('"@n@"', '${n}')
  .replace('@author@', '${authors.id}');

const ITEM_FIELDS = 'objectId title body score group active rating when createdAt updatedAt';

/**
 * `connections` is 32 where nothing else is said; password hashing gets 8, for a hash takes a core for a while.
 * `reads` compares with the driver also when it makes documents of the rows. `session` sends the token of a random user.
 * `bytes`: the answer is no JSON, but so many bytes. `requests`: no more than these, because each leaves much behind.
 */
const all = {
  health: {
    title: 'health', group: 'REST', method: 'GET', path: '/health',
    expect: { status: 200, contains: ['"ok"'] },
  },
  get: {
    title: 'get by id', group: 'REST', floor: 'get', reads: true, method: 'GET', path: '/classes/Item/${items.id}',
    expect: { status: 200, contains: ['"objectId":"${items.id}"', '"title":"${items.title}"'] },
  },
  equality: {
    title: 'equality query, 10 of 10 000', group: 'REST', floor: 'equality', reads: true, method: 'GET',
    path: `/classes/Item?where=${encoded({ group: '@groups.name@' })}`,
    expect: { status: 200, contains: ['"group":"${groups.name}"'], count: [{ text: '"objectId":', times: 2 * PER_GROUP }] },
  },
  range: {
    title: 'range, order, limit 100', group: 'REST', floor: 'range', reads: true, method: 'GET',
    path: `/classes/Item?where=${encoded({ score: { $gte: '@scores.from@' } }).replaceAll('%22${scores.from}%22', '${scores.from}')}&order=score&limit=100`,
    expect: { status: 200, contains: ['"title":"${scores.title}"'], count: [{ text: '"createdAt":', times: 100 }] },
  },
  include: {
    title: 'query of 10, include one pointer', group: 'REST', floor: 'include', method: 'GET',
    path: `/classes/Item?where=${encoded({ group: '@groups.name@' })}&include=author`,
    expect: { status: 200, contains: ['"group":"${groups.name}"'], count: [{ text: '"name":"Author ', times: PER_GROUP }] },
  },
  roles: {
    title: 'query by a user in 3 roles', group: 'REST', floor: 'roles', method: 'GET', session: true,
    path: `/classes/Document?where=${encoded({ group: '@documents.group@' })}`,
    expect: { status: 200, contains: ['"group":"${documents.group}"'], count: [{ text: '"createdAt":', times: 10 }], absent: ['role:strangers'] },
  },
  me: {
    title: 'users/me', group: 'REST', floor: 'me', method: 'GET', path: '/users/me', session: true,
    expect: { status: 200, contains: ['"username":"${users.username}"', '"sessionToken":"${users.token}"'] },
  },
  create: {
    title: 'create', group: 'REST', floor: 'create', method: 'POST', path: '/classes/Created', body: newItem('${n}'),
    expect: { status: 201, contains: ['"objectId":"', '"createdAt":"'] },
  },
  increment: {
    title: 'increment', group: 'REST', floor: 'increment', method: 'PUT', path: '/classes/Counter/${counters.id}',
    body: json({ n: { __op: 'Increment', amount: 1 } }),
    expect: { status: 200, contains: ['"updatedAt":"', '"n":'] },
  },
  batch: {
    title: 'batch of 50 creates', group: 'REST', floor: 'batch', method: 'POST', path: '/batch', connections: 8,
    body: mount => `{"requests":[${Array.from({ length: 50 }, (_, n) => `{"method":"POST","path":"${mount}/classes/Created","body":${newItem(`\${n}-${n}`)}}`).join(',')}]}`,
    expect: { status: 200, count: [{ text: '"success":', times: 50 }], absent: ['"error"'] },
  },
  signUp: {
    title: 'sign up', group: 'REST', floor: 'sign_up', method: 'POST', path: '/users', connections: 8, hashes: true,
    body: json({ username: '@run@-${n}', password: PASSWORD }),
    expect: { status: 201, contains: ['"sessionToken":"r:', '"objectId":"'] },
  },
  logIn: {
    title: 'log in', group: 'REST', floor: 'log_in', method: 'POST', path: '/login', connections: 8, hashes: true,
    body: json({ username: '${users.username}', password: PASSWORD }),
    expect: { status: 200, contains: ['"objectId":"${users.id}"', '"sessionToken":"r:'] },
  },
  gqlGet: {
    title: 'get', group: 'GraphQL', floor: 'get',
    body: graphql(`query Item($id: ID!) { item(id: $id) { ${ITEM_FIELDS} } }`, { id: '${items.id}' }),
    expect: { status: 200, contains: ['"objectId":"${items.id}"', '"title":"${items.title}"'], absent: ['"errors"'] },
  },
  gqlFind: {
    title: 'find 20 nodes', group: 'GraphQL', floor: 'find20', reads: true,
    body: graphql(
      `query Items($from: Float!) { items(where: { score: { greaterThanOrEqualTo: $from } }, order: [score_ASC], first: 20) { edges { node { ${ITEM_FIELDS} } } } }`,
      { from: '@from@' },
    ).replace('"@from@"', '${scores.from}'),
    expect: { status: 200, contains: ['"title":"${scores.title}"'], count: [{ text: '"createdAt":', times: 20 }], absent: ['"errors"'] },
  },
  gqlCreate: {
    title: 'create', group: 'GraphQL', floor: 'create',
    body: graphql('mutation Create($input: CreateCreatedInput!) { createCreated(input: $input) { created { objectId createdAt } } }', {
      input: {
        fields: {
          title: 'New ${n}', body: item(0, '').body, score: '@n@', group: 'g0', active: true, rating: 4.5, when: '2026-01-02T03:04:05.678Z',
          author: { link: '${authors.id}' },
        },
      },
    }).replace('"@n@"', '${n}'),
    expect: { status: 200, contains: ['"objectId":"'], absent: ['"errors"'] },
  },
  gqlSignUp: {
    title: 'signUp', group: 'GraphQL', floor: 'sign_up', connections: 8, hashes: true,
    body: graphql('mutation SignUp($input: SignUpInput!) { signUp(input: $input) { viewer { sessionToken user { objectId } } } }', {
      input: { fields: { username: 'g@run@-${n}', password: PASSWORD } },
    }),
    expect: { status: 200, contains: ['"sessionToken":"r:'], absent: ['"errors"'] },
  },
  gqlLogIn: {
    title: 'logIn', group: 'GraphQL', floor: 'log_in', connections: 8, hashes: true,
    body: graphql('mutation LogIn($input: LogInInput!) { logIn(input: $input) { viewer { sessionToken user { objectId } } } }', {
      input: { username: '${users.username}', password: PASSWORD },
    }),
    expect: { status: 200, contains: ['"sessionToken":"r:', '"objectId":"${users.id}"'], absent: ['"errors"'] },
  },
  gqlViewer: {
    title: 'viewer', group: 'GraphQL', floor: 'me', session: true,
    body: graphql('query { viewer { sessionToken user { objectId username createdAt } } }'),
    expect: { status: 200, contains: ['"username":"${users.username}"'], absent: ['"errors"'] },
  },
  upload: {
    title: 'upload 100 KiB', group: 'Files', method: 'POST', path: '/files/${n}.bin', contentType: 'application/octet-stream',
    body: () => 'x'.repeat(SMALL_FILE), connections: 8,
    expect: { status: 201, contains: ['.bin"', '"url":"'] },
  },
  uploadLarge: {
    title: 'upload 20 MiB', group: 'Files', method: 'POST', path: '/files/${n}.bin', contentType: 'application/octet-stream',
    body: () => 'x'.repeat(LARGE_FILE), connections: 2, requests: 20,
    expect: { status: 201, contains: ['.bin"', '"url":"'] },
  },
  download: {
    title: 'download 100 KiB', group: 'Files', bytes: SMALL_FILE, method: 'GET', path: '/files/${apps.id}/${files.small}', connections: 8,
    expect: { status: 200, absent: ['error'] },
  },
  downloadLarge: {
    title: 'download 20 MiB', group: 'Files', bytes: LARGE_FILE, method: 'GET', path: '/files/${apps.id}/${files.large}', connections: 2,
    expect: { status: 200, absent: ['error'] },
  },
  downloadRange: {
    title: '1 MiB range of 20 MiB', group: 'Files', bytes: 1 << 20, method: 'GET', path: '/files/${apps.id}/${files.large}', connections: 4,
    headers: { Range: `bytes=${5 << 20}-${(6 << 20) - 1}` },
    expect: { status: 206, absent: ['error'] },
  },
};

export const scenarios = Object.entries(all).map(([name, scenario]) => ({ name, connections: 32, ...scenario }));
export const scenarioNamed = name => scenarios.find(scenario => scenario.name === name) ?? fail(name);

function fail(name) {
  throw new Error(`no scenario is called ${name}; there are: ${scenarios.map(scenario => scenario.name).join(', ')}`);
}

/** The stream of requests for the load generator. `run` keeps names of users apart between runs. */
export function stream(scenario, server, { connections = scenario.connections, run = '0', first = 0, ...more } = {}) {
  const { mountPath, appId } = server.options;
  const rest = scenario.group !== 'GraphQL';
  const headers = { 'X-Parse-Application-Id': appId, Accept: scenario.bytes ? '*/*' : 'application/json', ...scenario.headers };
  const body = typeof scenario.body === 'function' ? scenario.body(mountPath) : scenario.body;
  if (body !== undefined) headers['Content-Type'] = scenario.contentType ?? 'application/json';
  if (scenario.session) headers['X-Parse-Session-Token'] = '${users.token}';
  return {
    name: scenario.name,
    connections,
    method: rest ? scenario.method : 'POST',
    path: rest ? mountPath + scenario.path : '/graphql',
    headers,
    ...(body === undefined ? {} : { body: body.replaceAll('@run@', run) }),
    expect: scenario.expect,
    ...(scenario.requests ? { requests: scenario.requests } : {}),
    first,
    ...more,
  };
}
