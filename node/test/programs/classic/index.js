// As programs for parse-server 2 to 5 are: the server itself is mounted, and nobody starts it.
var express = require('express');
var ParseServer = require('parse-server').ParseServer;
var path = require('path');

var api = new ParseServer({
  databaseURI: process.env.DATABASE_URI,
  cloud: __dirname + '/cloud/main.js',
  appId: 'app',
  masterKey: 'master',
  serverURL: 'http://127.0.0.1:' + process.env.PORT + '/parse',
  allowClientClassCreation: true,
});

var app = express();
app.use('/public', express.static(path.join(__dirname, '/public')));
app.use(process.env.PARSE_MOUNT || '/parse', api);
app.get('/', function (req, res) {
  res.status(200).send('I dream of being a website.');
});
app.get('/count', function (req, res) {
  new Parse.Query('GameScore').count({ useMasterKey: true }).then(function (count) {
    res.json({ count: count });
  });
});
var httpServer = require('http').createServer(app);
httpServer.listen(process.env.PORT, function () {
  console.log('READY');
});
