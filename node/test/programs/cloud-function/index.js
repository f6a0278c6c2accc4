const express = require('express');
const { ParseServer } = require('parse-server');

const seen = [];
const prices = new Map([['apple', 3]]);

async function cloud(Parse) {
  await new Promise(resolve => setTimeout(resolve, 20));
  Parse.Cloud.define('price', request => prices.get(request.params.fruit), { fields: { fruit: { required: true, type: String } } });
  Parse.Cloud.define('secret', () => 'told', { requireUser: true });
  Parse.Cloud.define('admin', () => 'master', { requireMaster: true });
  Parse.Cloud.define('typed', request => ({
    date: request.params.date instanceof Date, pointer: request.params.pointer instanceof Parse.Object, back: new Date(0),
    object: new Parse.Object('Thing', { a: 1 }).get('a'), context: request.context, ip: typeof request.ip, headers: typeof request.headers,
  }));
  Parse.Cloud.define('saves', async request => {
    const order = new Parse.Object('Order');
    await order.save({ fruit: request.params.fruit, count: 2 }, { useMasterKey: true, context: { by: 'function' } });
    return order;
  });
  Parse.Cloud.define('throws', request => {
    if (request.params.how === 'text') throw 'a text';
    if (request.params.how === 'code') throw new Parse.Error(1234, 'own code');
    throw new TypeError('an error');
  });
  Parse.Cloud.beforeSave('Order', request => {
    if (!prices.has(request.object.get('fruit'))) throw new Parse.Error(142, `no ${request.object.get('fruit')}`);
    request.object.set('total', prices.get(request.object.get('fruit')) * request.object.get('count'));
    seen.push(['beforeSave', request.context, request.object.isNew(), request.original?.get('count') ?? null]);
  });
  Parse.Cloud.afterSave('Order', request => seen.push(['afterSave', request.object.get('total')]));
  Parse.Cloud.beforeDelete('Order', request => {
    if (request.object.get('paid')) throw 'paid';
  });
  Parse.Cloud.beforeFind('Order', request => {
    request.query.descending('count');
  });
  Parse.Cloud.afterFind('Order', request => request.objects.filter(order => !order.get('hidden')));
  Parse.Cloud.beforeLogin(request => {
    if (request.object.get('username') === 'banned') throw new Parse.Error(101, 'you are banned');
  });
  Parse.Cloud.job('count', async request => {
    await request.message('counting');
    return `${await new Parse.Query('Order').count({ useMasterKey: true })} orders`;
  });
}

(async () => {
  const app = express();
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: `http://127.0.0.1:${process.env.PORT}/parse`,
    allowClientClassCreation: true, cloud,
  });
  await server.start();
  app.use('/parse', server.app);
  app.get('/seen', (req, res) => res.json(seen));
  app.get('/price/:fruit/:price', (req, res) => {
    prices.set(req.params.fruit, Number(req.params.price));
    res.json([...prices]);
  });
  app.listen(Number(process.env.PORT), () => console.log('READY'));
})();
