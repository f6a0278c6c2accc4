'use strict';
// `Parse.Cloud`, `Parse.Server`: what main.js registers with.
const { logger } = require('./logs');
const { checkValidator } = require('./validators');

const USER_TRIGGERS = new Set(['beforeLogin', 'afterLogin', 'beforePasswordResetRequest']);
const RATE_LIMIT_ZONES = Object.freeze({ global: 'global', session: 'session', user: 'user', ip: 'ip' });

function install(Parse, registry, channel, options) {
  const classNameOf = given => {
    if (given === Parse.File || given?.name === 'ParseFile') return '@File';
    if (given === Parse.Config || given?.name === 'ParseConfig') return '@Config';
    const name = given?.className ?? given;
    if (typeof name !== 'string') throw new Error('A trigger needs a class or the name of a class.');
    return name;
  };

  // What cannot be registered is refused with a text, as parse-server does.
  const add = (type, className, handler, validator) => {
    if (className === '_PushStatus' && type === 'beforeSave') throw 'Only afterSave is allowed on _PushStatus';
    if (USER_TRIGGERS.has(type) && className !== '_User') {
      throw 'Only the _User class is allowed for the beforeLogin, afterLogin, and beforePasswordResetRequest triggers';
    }
    if (type === 'afterLogout' && className !== '_Session') {
      throw 'Only the _Session class is allowed for the afterLogout trigger.';
    }
    if (className === '_Session' && type !== 'afterLogout') {
      throw 'Only the afterLogout trigger is allowed for the _Session class.';
    }
    checkValidator(validator);
    // Of a validator of these triggers parse-server takes the rate limit alone.
    const counts = USER_TRIGGERS.has(type) && validator ? { rateLimit: validator.rateLimit } : validator;
    registry.addTrigger(type, className, handler, counts);
  };

  const Cloud = Parse.Cloud;
  const classTriggers = {
    beforeSave: 'beforeSave', afterSave: 'afterSave', beforeDelete: 'beforeDelete', afterDelete: 'afterDelete',
    beforeFind: 'beforeFind', afterFind: 'afterFind', beforeSubscribe: 'beforeSubscribe', afterLiveQueryEvent: 'afterEvent',
  };
  for (const [method, type] of Object.entries(classTriggers)) {
    Cloud[method] = (givenClass, handler, validator) => add(type, classNameOf(givenClass), handler, validator);
  }
  const ownClasses = {
    beforeLogin: '_User', afterLogin: '_User', beforePasswordResetRequest: '_User', afterLogout: '_Session',
  };
  for (const [type, className] of Object.entries(ownClasses)) {
    // The class may be given first.
    Cloud[type] = (first, second, third) => {
      const isClass = typeof first === 'string' || typeof first?.className === 'string';
      if (isClass) add(type, classNameOf(first), second, third);
      else add(type, className, first, second);
    };
  }
  Cloud.beforeConnect = (handler, validator) => add('beforeConnect', '@Connect', handler, validator);
  Cloud.onLiveQueryEvent = handler => registry.addLiveQueryHandler(handler);
  Cloud.define = (name, handler, validator) => {
    checkValidator(validator);
    registry.addFunction(String(name), handler, validator);
  };
  Cloud.job = (name, handler) => registry.addJob(String(name), handler);
  Cloud.sendEmail = async mail => {
    await channel.call('sendEmail', mail);
  };
  Cloud.useMasterKey = () => {
    logger.warn('Parse.Cloud.useMasterKey is deprecated and has no effect: give {useMasterKey: true} to each call.');
  };

  const server = { ...options, RateLimitZone: RATE_LIMIT_ZONES };
  Object.defineProperty(Parse, 'Server', {
    configurable: true,
    enumerable: true,
    get: () => server,
    set: changes => {
      const plain = Object.fromEntries(Object.entries(changes).filter(([key]) => key !== 'RateLimitZone'));
      Object.assign(server, plain);
      channel.call('setOptions', plain).catch(error => logger.error(`Parse.Server: ${error.message}`));
    },
  });
}

module.exports = { install };
