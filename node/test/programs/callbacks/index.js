// What a program gives as a function or an instance: it runs here, with this program's variables.
const express = require('express');
const { ParseServer } = require('parse-server');

const seen = [];
const mails = [];
const files = new Map();

/** A request as both servers tell it. Of an update parse-server tells only what changes, and nothing of what was. */
const told = request => ({
  name: request.createdWith ? request.object.get('username') : null, email: request.object.get('email'),
  user: request.object instanceof global.Parse.User, // parse-server shows the hash at a log in.
  password: /^\$2/.test(request.object?.get('password')) ? null : request.object?.get('password') ?? null,
  master: request.master, ip: typeof request.ip, installation: request.installationId ?? null, by: request.createdWith ?? null,
  again: request.resendRequest ?? false,
});

class Mailer {
  sendMail(mail) {
    mails.push({ how: 'mail', to: mail.to, subject: mail.subject });
  }
  sendVerificationEmail({ user, appName, link }) {
    mails.push({ how: 'verify', to: user.get('email'), appName, link: /verify_email/.test(link) });
  }
  sendPasswordResetEmail({ user, appName, link }) {
    mails.push({ how: 'reset', to: user.get('email'), appName, link: /request_password_reset/.test(link) });
  }
}

class Files {
  async createFile(name, data, contentType, options) {
    if (data.toString().includes('virus')) throw new Error('a virus');
    files.set(name, { data, contentType, metadata: options?.metadata ?? {} });
  }
  async deleteFile(name) {
    if (!files.delete(name)) throw new Error('FileNotFound');
  }
  async getFileData(name) {
    if (!files.has(name)) throw new Error('no such file');
    return files.get(name).data;
  }
  getFileLocation(config, name) {
    return `${config.mount}/files/${config.applicationId}/${encodeURIComponent(name)}`;
  }
  async getMetadata(name) {
    return { metadata: files.get(name).metadata };
  }
  validateFilename(name) {
    return name.includes('forbidden') ? new global.Parse.Error(122, 'not this name') : null;
  }
}

const analytics = {
  appOpened: async parameters => void seen.push(['appOpened', parameters]),
  trackEvent: async (name, parameters) => {
    seen.push(['trackEvent', name, parameters]);
    if (name === 'broken') throw new Error('broken');
    return { counted: seen.length > 0 };
  },
};

(async () => {
  const app = express();
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: `http://127.0.0.1:${process.env.PORT}/parse`,
    appName: 'Mine', publicServerURL: `http://127.0.0.1:${process.env.PORT}/parse`, fileUpload: { enableForPublic: true },
    emailAdapter: new Mailer(), filesAdapter: new Files(), analyticsAdapter: analytics, emailVerifySuccessOnInvalidEmail: false,
    verifyUserEmails(request) {
      seen.push(['verify', told(request)]);
      return request.object.get('email').endsWith('@verify.example');
    },
    async preventLoginWithUnverifiedEmail(request) {
      seen.push(['prevent', told(request)]);
      if (request.object.get('username') === 'broken') throw new global.Parse.Error(1234, 'broken');
      return request.object.get('username') !== 'free';
    },
    sendUserEmailVerification({ user, master }) {
      seen.push(['send', user.get('email'), master]);
      return !user.get('quiet');
    },
    passwordPolicy: { validatorPattern: /^SECRET/i, validatorCallback: password => !password.includes('bad'), validationError: 'too simple' },
    schema: {
      definitions: [{ className: '_User', fields: { quiet: { type: 'Boolean' } }, classLevelPermissions: { find: {}, get: { '*': true }, create: { '*': true }, update: { '*': true } } }, { className: 'Defined', fields: { number: { type: 'Number' } }, classLevelPermissions: { find: { '*': true }, create: { '*': true } } }],
      beforeMigration: () => void seen.push(['before migration']),
      afterMigration: async () => void seen.push(['after migration']),
    },
  });
  await server.start();
  app.use('/parse', server.app);
  const give = list => (req, res) => res.json(list.splice(0));
  app.get('/seen', give(seen));
  app.get('/mails', give(mails));
  app.get('/stored', (req, res) => res.json([...files.values()].map(({ data, ...file }) => ({ ...file, bytes: data.length }))));
  app.listen(Number(process.env.PORT), () => console.log('READY'));
})();
