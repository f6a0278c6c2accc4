'use strict';
// The middleware of a program that adds to `req.config` for one request (`requestContextMiddleware`). Cloud code that runs in the
// course of the request finds that on `request.config`.
const { randomUUID } = require('node:crypto');
const { course } = require('./bootstrap');

/**
 * @param {Function} middleware the program's
 * @param {object} config the options, which requests get to see
 * @param {(req: object, res: object, id?: string) => void} handOn hands a request on, with an id that only the program knows
 * @returns {Function} middleware of Express
 */
function withRequestContext(middleware, config, handOn) {
  return (req, res, next) => {
    req.config = Object.create(config);
    middleware(req, res, error => {
      if (error) return next(error);
      if (Object.keys(req.config).length === 0) return handOn(req, res);
      const id = randomUUID();
      course.configs.set(id, req.config);
      res.once('close', () => course.configs.delete(id));
      handOn(req, res, id);
    });
  };
}

module.exports = { withRequestContext };
