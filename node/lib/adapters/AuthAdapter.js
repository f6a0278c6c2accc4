'use strict';
// What identity providers of a program may extend.

const METHODS = [
  'validateAppId', 'validateAuthData', 'validateSetUp', 'validateLogin', 'validateUpdate', 'challenge', 'afterFind', 'beforeFind',
  'validateOptions',
];

class AuthAdapter {
  constructor() {
    /** `default`, `additional` or `solo`. */
    this.policy ??= 'default';
  }
}

// They are there for whoever calls them, and do nothing. The server asks a provider only for methods of its own: these are no values.
for (const name of METHODS) {
  const method = name === 'beforeFind' || name === 'validateOptions' ? () => {} : async () => ({});
  Object.defineProperty(AuthAdapter.prototype, name, {
    configurable: true,
    get: () => method,
    set(own) {
      Object.defineProperty(this, name, { configurable: true, enumerable: true, writable: true, value: own });
    },
  });
}

module.exports = { AuthAdapter };
