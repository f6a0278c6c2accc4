// Middleware that hooks into answers, as most programs have some of: it sees and changes those of the API as it does all others.
const compression = require('compression');
const cors = require('cors');
const express = require('express');
const helmet = require('helmet');
const morgan = require('morgan');
const { ParseServer } = require('parse-server');

(async () => {
  const app = express();
  const port = Number(process.env.PORT);
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: `http://127.0.0.1:${port}/parse`, allowClientClassCreation: true,
    cloud: Parse => Parse.Cloud.define('long', () => 'long '.repeat(1000)),
  });
  await server.start();

  const log = [];
  const ended = [];
  // What is looked at when all is over, by somebody who has only listened.
  app.use('/late', (req, res, next) => {
    res.on('finish', () => ended.push(['finish', res.statusCode, res.getHeader('content-type'), res.getHeader('access-control-allow-origin'), 'location' in res.getHeaders()]));
    res.on('close', () => ended.push(['close', res.headersSent, res.writableEnded]));
    next();
  });
  // What sees the answer itself.
  app.use('/own', (req, res, next) => {
    const { end, writeHead } = res;
    res.writeHead = function (...args) {
      this.setHeader('X-Seen', String(this.hasHeader('content-type')));
      return writeHead.apply(this, args);
    };
    res.end = function (...args) {
      ended.push(['end', String(args[0] ?? '').length > 0]);
      return end.apply(this, args);
    };
    next();
  });
  app.use('/log', morgan(':method :status :res[content-type]', { stream: { write: line => log.push(line.trim()) } }));
  app.use('/small', compression({ threshold: 0 }));
  app.use('/all', morgan('tiny', { stream: { write() {} } }), helmet(), cors({ origin: 'https://mine.example', exposedHeaders: ['X-Mine'] }), compression({ threshold: 100 }));
  for (const path of ['/late', '/own', '/log', '/small', '/all', '/parse']) app.use(path, server.app);
  app.get('/lines', (req, res) => res.json(log.splice(0)));
  app.get('/ended', (req, res) => res.json(ended.splice(0)));
  app.listen(port, '127.0.0.1', () => console.log('READY'));
})();
