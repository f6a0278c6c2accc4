const express = require('express');
const { ParseServer } = require('parse-server');

(async () => {
  const port = Number(process.env.PORT);
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', masterKeyIps: ['127.0.0.1'],
    serverURL: `http://127.0.0.1:${port}/parse`, allowClientClassCreation: true,
    cloud: Parse => Parse.Cloud.define('ip', request => request.ip),
  });
  await server.start();

  const app = express();
  const log = [];
  app.set('trust proxy', 1);
  app.use((req, res, next) => {
    const { method } = req;
    res.on('finish', () => log.push([method, req.originalUrl.split('?')[0].replace(/\/[A-Za-z0-9]{10}$/, '/ID'), res.statusCode]));
    res.setHeader('X-Mine', 'before');
    next();
  });
  app.use(express.json({ limit: '5mb' }));
  app.use(express.urlencoded({ extended: true }));
  app.use('/parse', (req, res, next) => (req.headers['x-blocked'] ? res.status(451).json({ blocked: true }) : next()), server.app);
  app.get('/log', (req, res) => res.json(log));
  app.post('/echo', (req, res) => res.json(req.body));
  app.use((error, req, res, next) => res.status(error.status ?? 500).json({ own: error.type ?? error.message }));
  app.listen(port, () => console.log('READY'));
})();
