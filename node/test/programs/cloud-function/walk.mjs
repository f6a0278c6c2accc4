export default async function (walk) {
  const call = (name, body = {}, options = {}) => walk.request('POST', `/functions/${name}`, { body, ...options });
  await call('price', { fruit: 'apple' });
  await call('price', {});
  await call('price', { fruit: 5 });
  await walk.own('GET', '/price/pear/4');
  await call('price', { fruit: 'pear' });
  await call('secret');
  const ann = await walk.request('POST', '/users', { body: { username: 'ann', password: 'pw' } });
  await call('secret', {}, { session: ann.body.sessionToken });
  await call('admin');
  await call('admin', {}, { master: true });
  await call('typed', { date: { __type: 'Date', iso: '2020-01-01T00:00:00.000Z' }, pointer: { __type: 'Pointer', className: 'X', objectId: 'abc' } }, { headers: { 'X-Parse-Cloud-Context': '{"a":1}' } });
  await call('saves', { fruit: 'apple' });
  await call('saves', { fruit: 'plum' });
  for (const how of ['text', 'code', 'error']) await call('throws', { how });
  const order = await walk.request('POST', '/classes/Order', { body: { fruit: 'pear', count: 5 }, headers: { 'X-Parse-Cloud-Context': '{"by":"client"}' } });
  await walk.request('PUT', `/classes/Order/${order.body.objectId}`, { body: { count: 6 } });
  await walk.request('POST', '/classes/Order', { body: { fruit: 'plum', count: 5 } });
  await walk.request('POST', '/classes/Order', { body: { fruit: 'apple', count: 1, hidden: true } });
  await walk.request('GET', '/classes/Order');
  await walk.request('PUT', `/classes/Order/${order.body.objectId}`, { body: { paid: true } });
  await walk.request('DELETE', `/classes/Order/${order.body.objectId}`);
  await walk.request('POST', '/users', { body: { username: 'banned', password: 'pw' } });
  await walk.request('POST', '/login', { body: { username: 'banned', password: 'pw' } });
  await walk.own('GET', '/seen');
}
