export default async function (walk) {
  const ask = (query, variables, options = {}) => walk.own('POST', '/api/graphql', { app: 'app', body: { query, variables }, ...options });
  await walk.request('POST', '/schemas/Book', { master: true, body: { fields: { title: { type: 'String' }, pages: { type: 'Number' } } } });
  await ask('{ health }');
  await ask('mutation ($fields: CreateBookFieldsInput) { createBook(input: { fields: $fields }) { book { title pages } } }', { fields: { title: 'Dune', pages: 412 } });
  await ask('{ books(where: { pages: { greaterThan: 100 } }) { count edges { node { title } } } }');
  await ask('mutation { signUp(input: { fields: { username: "ann", password: "pw" } }) { viewer { user { username } } } }');
  await ask('mutation { callCloudCode(input: { functionName: hello, params: { name: "Ann" } }) { result } }');
  await ask('{ nothing }');
  await ask('{ health }', undefined, { app: null });
  const page = await walk.program.request('GET', '/api/play', { app: null });
  walk.note('playground', [page.status, page.headers['content-type'].split(';')[0], page.text.includes('/api/graphql')]);
  await walk.own('GET', '/limit');
  await walk.request('GET', '/graphql-config', { master: true });
}
