'use strict';
// Triggers on objects, users, queries, the configuration and live queries; those on files are in files.js.
const { ProtocolError, SCRIPT_FAILED, toFailure } = require('./errors');
const { installFiles } = require('./files');
const { asError, validationError } = require('./functions');
const { Changes, changing, difference, found, isTouched, stored } = require('./objects');
const { contextAfter, lazy, triggerRequest } = require('./requests');
const { validate } = require('./validators');

function install(Parse, registry, roles) {
  const isObject = value => value instanceof Parse.Object;

  /** Runs validator and handler; what they throw becomes the error of the call. */
  async function run({ type, handler, validator }, request, usualText) {
    try {
      await validate(validator, request, roles);
    } catch (thrown) {
      throw validationError(thrown);
    }
    if (request.master && validator?.skipWithMasterKey) return undefined;
    try {
      return await handler(request);
    } catch (thrown) {
      const text = usualText ?? (type === 'beforeSave' ? 'Script failed. Unknown error.' : 'Script failed.');
      throw asError(toFailure(thrown, { text }));
    }
  }

  function requestOf(type, payload) {
    const request = triggerRequest(Parse, type, payload);
    request.context = { ...payload.context };
    return request;
  }

  async function beforeSave(trigger, payload) {
    const { className } = payload;
    const request = requestOf('beforeSave', payload);
    const object = changing(Parse, className, payload.original, payload.changes ?? {});
    const changes = new Changes(object);
    request.object = object;
    if (payload.original) lazy(request, 'original', () => stored(Parse, className, payload.original));
    const id = object.id;
    await run(trigger, request);
    const answer = changes.since();
    if (!payload.original && object.id !== id) answer.objectId = object.id;
    return contextAfter(request, payload, answer);
  }

  async function afterSave(trigger, payload) {
    const { className } = payload;
    const request = requestOf('afterSave', payload);
    const object = found(Parse, className, payload.object);
    object._setExisted(Boolean(payload.original));
    request.object = object;
    if (payload.original) lazy(request, 'original', () => stored(Parse, className, payload.original));
    const returned = await run(trigger, request);
    if (returned !== null && typeof returned === 'object' && !isObject(returned) && !Array.isArray(returned)) {
      return contextAfter(request, payload, { response: Parse._encode(returned) });
    }
    return contextAfter(request, payload, difference(Parse, object, payload.object) ? { changed: object._getSaveJSON() } : {});
  }

  /** Triggers that get an object and change nothing: beforeDelete, afterDelete, log in, log out, reset of a password. */
  async function onObject(trigger, payload) {
    const request = requestOf(trigger.type, payload);
    const object = stored(Parse, payload.className, payload.object);
    request.object = object;
    const answer = {};
    if (trigger.type === 'afterLogin') {
      const before = JSON.stringify(object.toJSON());
      await run(trigger, request);
      const after = object.toJSON();
      if (JSON.stringify(after) !== before) answer.object = after;
    } else {
      await run(trigger, request);
    }
    return contextAfter(request, payload, answer);
  }

  /** A query. Live queries name their fields in lists, where the SDK reads a text; older SDKs do not know `watch`. */
  function queryOf(className, json) {
    const { keys, watch, ...rest } = json ?? {};
    if (keys !== undefined) rest.keys = Array.isArray(keys) ? keys.join(',') : keys;
    const query = Parse.Query.fromJSON(className, rest);
    if (watch && query.watch) query.watch(...watch);
    return query;
  }

  async function beforeFind(trigger, payload) {
    const { className } = payload;
    const request = requestOf('beforeFind', payload);
    request.query = queryOf(className, payload.query);
    if (payload.query?.pipeline) request.query.pipeline = payload.query.pipeline;
    request.count = payload.count ?? false;
    request.isGet = payload.isGet ?? false;
    const before = JSON.stringify(request.query.toJSON());
    const returned = await run(trigger, request);
    const answer = {};
    if (isObject(returned) || (Array.isArray(returned) && returned.every(isObject))) {
      answer.objects = [].concat(returned).map(fullJSON);
    } else {
      const query = (returned instanceof Parse.Query ? returned : request.query).toJSON();
      if (JSON.stringify(query) !== before) answer.query = query;
    }
    for (const key of ['readPreference', 'includeReadPreference', 'subqueryReadPreference']) {
      if (request[key] !== undefined) answer[key] = request[key];
    }
    return contextAfter(request, payload, answer);
  }

  /** An object with its changes done, not as operations. */
  function fullJSON(object) {
    const json = object.toJSON();
    for (const key of object.dirtyKeys()) {
      const value = object.get(key);
      if (value === undefined) delete json[key];
      else json[key] = Parse._encode(value);
    }
    return { ...json, className: object.className };
  }

  /** What a handler gives in the place of an object, if it can be one. */
  const plain = value => (value !== null && typeof value === 'object' && !Array.isArray(value) ? Parse._encode(value) : null);

  async function afterFind(trigger, payload) {
    const { className } = payload;
    const request = requestOf('afterFind', payload);
    request.object = undefined;
    lazy(request, 'query', () => queryOf(className, payload.query));
    request.isGet = payload.isGet ?? false;
    const sent = payload.objects;
    const places = new Map();
    request.objects = sent.map((json, place) => {
      const object = found(Parse, json.className ?? className, json);
      places.set(object, place);
      return object;
    });
    const returned = (await run(trigger, request)) ?? request.objects;
    if (!Array.isArray(returned)) throw new ProtocolError(SCRIPT_FAILED, 'afterFind must return a list of objects.');
    // An object that was sent is told by its place in the list, and by what was done to it.
    const objects = returned.map(object => {
      const place = places.get(object);
      if (place === undefined) return isObject(object) ? fullJSON(object) : plain(object);
      const done = difference(Parse, object, sent[place]);
      return done ? [place, done.changed, done.removed] : place;
    });
    const same = objects.length === sent.length && objects.every((object, place) => object === place);
    return contextAfter(request, payload, same ? {} : { objects });
  }

  /** The configuration: `object` has the parameters that are sent (beforeSave) or all (afterSave). */
  async function onConfig(trigger, payload) {
    const request = requestOf(trigger.type, payload);
    request.object = configOf(payload.object);
    if (payload.original) request.original = configOf(payload.original);
    await run(trigger, request);
    return contextAfter(request, payload, {});
  }

  function configOf(parameters) {
    const config = new Parse.Config();
    for (const [name, value] of Object.entries(parameters ?? {})) config.attributes[name] = Parse._decode(name, value);
    return config;
  }

  function liveRequest(payload) {
    const { user, query, object, original, className, ...request } = payload;
    if (user) lazy(request, 'user', () => stored(Parse, '_User', user));
    return request;
  }

  async function beforeConnect(trigger, payload) {
    await run(trigger, liveRequest(payload));
    return {};
  }

  async function beforeSubscribe(trigger, payload) {
    const request = liveRequest(payload);
    request.query = queryOf(payload.className, payload.query);
    const before = JSON.stringify(request.query.toJSON());
    await run(trigger, request);
    const query = request.query.toJSON();
    return JSON.stringify(query) === before ? {} : { query };
  }

  async function afterEvent(trigger, payload) {
    const request = liveRequest(payload);
    request.sendEvent = true;
    request.object = stored(Parse, payload.className, payload.object);
    if ('original' in payload) request.original = payload.original && stored(Parse, payload.className, payload.original);
    await run(trigger, request);
    const answer = { sendEvent: Boolean(request.sendEvent) };
    for (const key of ['object', 'original']) {
      if (isObject(request[key]) && isTouched(request[key])) answer[key] = request[key].toJSON();
    }
    return answer;
  }

  const byType = { beforeSave, afterSave, beforeFind, afterFind, beforeConnect, beforeSubscribe, afterEvent };
  const onFile = installFiles(Parse, run);

  return {
    trigger({ name: type, payload }, attachment) {
      const trigger = registry.trigger(type, payload.className);
      if (!trigger) throw new ProtocolError(SCRIPT_FAILED, `no trigger ${type} for ${payload.className}`);
      if (payload.className === '@File') return onFile(trigger, payload, attachment);
      if (payload.className === '@Config') return onConfig(trigger, payload);
      return (byType[type] ?? onObject)(trigger, payload);
    },
    /** Tells the handlers of `onLiveQueryEvent`. Their errors concern nobody else. */
    async liveQueryEvent({ payload }) {
      for (const handler of registry.liveQueryHandlers) await handler(liveRequest(payload));
      return {};
    },
  };
}

module.exports = { install };
