// A program that has its own log, pushes, identities, pages, and a master key that changes.
const path = require('path');
const express = require('express');
const { ParseServer } = require('parse-server');

const lines = [];
const pushes = [];
let masterKey = 'one';

class Log {
  constructor(prefix) {
    this.prefix = prefix;
  }
  log(level, message) {
    if (String(message).startsWith(this.prefix)) lines.push(`${level} ${message}`);
  }
}

class Push {
  getValidPushTypes() {
    return ['ios', 'android'];
  }
  async send(body, installations) {
    pushes.push({ alert: body.data.alert, to: installations.map(({ deviceToken }) => deviceToken).sort() });
    return installations.map(({ deviceToken, deviceType }) => ({ transmitted: true, device: { deviceToken, deviceType } }));
  }
}

class Card {
  async validateSetUp(authData) {
    if (authData.code !== 'secret') throw new global.Parse.Error(101, 'not this card');
  }
  async validateUpdate() {}
  async validateLogin(authData) {
    if (authData.code !== 'secret') throw new global.Parse.Error(101, 'not this card');
  }
}

const plain = {
  validateAppId: async () => {},
  validateAuthData: async (authData, options) => {
    if (authData.token !== options.token) throw new global.Parse.Error(101, `not ${authData.token}`);
  },
};

(async () => {
  const app = express();
  const url = `http://127.0.0.1:${process.env.PORT}/parse`;
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', serverURL: url, publicServerURL: url, appName: 'Mine', allowClientClassCreation: true,
    masterKey: async () => masterKey, masterKeyTtl: 0.2,
    loggerAdapter: new Log('mine'), push: { adapter: new Push() },
    auth: { card: { module: new Card() }, plain: { module: plain, token: 'right' } },
    pages: {
      pagesPath: path.join(__dirname, 'pages'),
      customRoutes: [
        { method: 'GET', path: 'hello/:name', handler: async ({ method, params, query }) => ({ file: 'hello.html', query: { name: params.name, what: query.what, method } }) },
        { method: 'POST', path: 'form', handler: ({ body }) => (body.known ? { file: 'hello.html', query: { name: body.known } } : undefined) },
        { method: 'GET', path: 'nothing', handler: () => ({ file: '../index.js' }) },
        { method: 'GET', path: 'throws', handler: async () => { throw new global.Parse.Error(4711, 'no page today'); } },
      ],
    },
    requestContextMiddleware(req, res, next) {
      const tenant = req.headers['x-tenant'];
      if (tenant === 'none') return res.status(402).json({ error: 'pay first' });
      // For each request: with parse-server it can stay for others.
      req.config.tenant = { name: tenant || 'nobody' };
      next();
    },
    cloud: Parse => {
      Parse.Cloud.define('tenant', async ({ config, log }) => {
        log.info('mine: before');
        await new Promise(resolve => setTimeout(resolve, 5));
        log.warn('mine: after');
        return config.tenant.name;
      });
      Parse.Cloud.beforeSave('Rented', ({ object, config }) => object.set('tenant', config.tenant.name));
    },
  });
  await server.start();
  app.use('/parse', server.app);
  const give = list => (req, res) => res.json(list.splice(0));
  app.get('/lines', give(lines));
  app.get('/pushes', give(pushes));
  app.post('/rotate', (req, res) => {
    masterKey = 'two';
    res.json({});
  });
  app.listen(Number(process.env.PORT), () => console.log('READY'));
})();
