// Ten adapters in one program, all of them instances, which share what the program keeps.
const express = require('express');
const { InMemoryCacheAdapter, ParseServer } = require('parse-server');

/** What each was called for. */
const called = [];
const note = (adapter, ...what) => void called.push([adapter, ...what]);

class Mail {
  sendMail({ to }) {
    note('mail', to);
  }
  sendPasswordResetEmail({ user }) {
    note('mail', user.get('email'));
  }
  sendVerificationEmail() {}
}

class Files {
  kept = new Map();
  async createFile(name, data) {
    note('files', 'create', data.length);
    this.kept.set(name, data);
  }
  async deleteFile(name) {
    note('files', 'delete');
    this.kept.delete(name);
  }
  async getFileData(name) {
    note('files', 'read');
    return this.kept.get(name);
  }
  getFileLocation(config, name) {
    return `${config.mount}/files/${config.applicationId}/${encodeURIComponent(name)}`;
  }
}

class Push {
  getValidPushTypes() {
    return ['ios'];
  }
  async send({ data }, installations) {
    note('push', data.alert, installations.length);
    return installations.map(({ deviceToken, deviceType }) => ({ transmitted: true, device: { deviceToken, deviceType } }));
  }
}

class Analytics {
  async appOpened() {
    note('analytics', 'opened');
  }
  async trackEvent(name) {
    note('analytics', name);
  }
}

class Log {
  log(level, message) {
    if (String(message).startsWith('adapters: ')) note('log', level, message);
  }
}

const wrong = () => new global.Parse.Error(101, 'wrong');

/** One that keeps the three cases apart. */
class Badge {
  policy = 'solo';
  async validateSetUp({ code }) {
    note('badge', 'set up');
    if (code !== 'badge') throw wrong();
  }
  async validateUpdate() {}
  async validateLogin({ code }) {
    note('badge', 'log in');
    if (code !== 'badge') throw wrong();
  }
}

/** The older form. parse-server calls the methods of auth adapters without their instance. */
class Pass {
  async validateAppId() {}
  async validateAuthData({ code }) {
    note('pass', code);
    if (code !== 'pass') throw wrong();
  }
}

/** One whose answers differ from what is stored. */
class Shown {
  async validateAppId() {}
  async validateAuthData() {
    note('shown');
  }
  afterFind(authData, options, request) {
    return { ...authData, shown: true, master: request.master };
  }
}

/** A second one, asked before the first factor counts. */
class Second {
  policy = 'additional';
  async validateSetUp({ code }) {
    note('second', 'set up');
    if (code !== 'second') throw wrong();
  }
  async validateUpdate() {}
  async validateLogin({ code }) {
    note('second', 'log in');
    if (code !== 'second') throw wrong();
  }
  async challenge(challengeData) {
    note('second', 'challenge');
    return { asked: challengeData };
  }
}

(async () => {
  const app = express();
  const url = `http://127.0.0.1:${process.env.PORT}/parse`;
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: url, publicServerURL: url, appName: 'Ten',
    allowClientClassCreation: true, fileUpload: { enableForPublic: true },
    emailAdapter: new Mail(),
    filesAdapter: new Files(),
    push: { adapter: new Push() },
    analyticsAdapter: new Analytics(),
    loggerAdapter: new Log(),
    cacheAdapter: new InMemoryCacheAdapter({ ttl: 500 }),
    auth: { badge: { module: new Badge() }, pass: { module: new Pass() }, shown: { module: new Shown() }, second: { module: new Second() } },
    cloud: Parse => Parse.Cloud.define('say', ({ log, params }) => log.info(`adapters: ${params.what}`) && 'said'),
  });
  await server.start();
  app.use('/parse', server.app);
  app.get('/called', (req, res) => res.json(called.splice(0)));
  app.listen(Number(process.env.PORT), () => console.log('READY'));
})();
