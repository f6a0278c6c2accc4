'use strict';
// Objects of triggers: made from JSON before the handler, compared with it afterwards.

/** An object with the state that is stored. */
function stored(Parse, className, json) {
  return Parse.Object.fromJSON({ ...json, className });
}

/**
 * As `stored`, for many objects of which most are only looked at. The SDK keeps the text of each value that can change in place, to find
 * changes by; that is half the cost of an object, so here a text is made when it is asked for.
 */
function found(Parse, className, json) {
  const object = Parse.Object.fromJSON({ className });
  // With single instances the state is shared with other objects of the same id.
  if (object._getStateIdentifier() !== object) return stored(Parse, className, json);
  object.id = json.objectId;
  const values = {};
  for (const key of Object.keys(json)) {
    if (key !== 'objectId' && key !== 'className' && key !== '__type') values[key] = decoded(Parse, object, key, json[key]);
  }
  const states = Parse.CoreManager.getObjectStateController();
  states.setServerData(object, values);
  const state = states.getState(object);
  state.existed = Boolean(json.objectId);
  state.objectCache = new Proxy({}, new Texts(Parse, object, json));
  return object;
}

function decoded(Parse, object, key, json) {
  if (json === null || typeof json !== 'object') {
    return key === 'createdAt' || key === 'updatedAt' ? new Date(json) : json;
  }
  if (key === 'ACL') return new Parse.ACL(json);
  const value = Parse._decode(key, json);
  if (value instanceof Parse.Relation) value._ensureParentAndKey(object, key);
  return value;
}

/** The texts of an object's stored values, as the SDK writes them. */
class Texts {
  constructor(Parse, object, json) {
    this.Parse = Parse;
    this.object = object;
    this.json = json;
  }

  get(known, key) {
    if (!Object.hasOwn(known, key) && Object.hasOwn(this.json, key)) {
      const value = decoded(this.Parse, this.object, key, this.json[key]);
      known[key] = JSON.stringify(new this.Parse.Op.Set(value).toJSON());
    }
    return known[key];
  }
}

/** Fields that the SDK lets nobody set. */
const FIXED = new Set(['createdAt', 'updatedAt']);

/**
 * What a handler did to an object from the store: the fields that have another value, as JSON, and the names of those removed.
 * `null`: nothing.
 */
function difference(Parse, object, json) {
  const pending = pendingOf(object);
  const changed = {};
  const removed = [];
  for (const name of Object.keys(pending)) {
    const operation = pending[name];
    // A dotted name is a part of the field.
    const [key] = name.split('.');
    const value = operation.constructor === Parse.Op.Set && key === name ? operation._value : object.get(key);
    if (value === undefined) removed.push(key);
    else changed[key] = Parse._encode(value);
  }
  const values = object._getServerData();
  for (const key of Object.keys(values)) {
    const value = values[key];
    if (value === null || typeof value !== 'object' || FIXED.has(key) || pending[key]) continue;
    if (!isAs(Parse, value, json[key])) changed[key] = Parse._encode(value);
  }
  if (object.id !== json.objectId) changed.objectId = object.id;
  return removed.length > 0 || Object.keys(changed).length > 0 ? { changed, removed } : null;
}

/** Whether a value is what this JSON stands for. A difference where there is none costs time only. */
function isAs(Parse, value, json) {
  if (value === null || typeof value !== 'object') return value === json;
  if (json === null || json === undefined) return false;
  if (Array.isArray(value)) {
    return Array.isArray(json) && value.length === json.length && value.every((item, index) => isAs(Parse, item, json[index]));
  }
  if (value instanceof Date) return value.toJSON() === (typeof json === 'string' ? json : json.iso);
  if (value instanceof Parse.Object) return value.className === json.className && value.id === json.objectId;
  if (Object.getPrototypeOf(value) === Object.prototype) {
    const keys = Object.keys(value);
    return keys.length === Object.keys(json).length && keys.every(key => isAs(Parse, value[key], json[key]));
  }
  return JSON.stringify(Parse._encode(value)) === JSON.stringify(json);
}

/** The object of a beforeSave: the stored state, if there is one, with the client's changes on it. */
function changing(Parse, className, original, changes) {
  const object = Parse.Object.fromJSON({ ...original, className });
  if (original) object._setExisted(true);
  // The SDK looks at all fields for each call, so there is one.
  const whole = {};
  const parts = [];
  for (const [key, value] of Object.entries(changes)) {
    const isOperation = value !== null && typeof value === 'object' && typeof value.__op === 'string';
    if (key === 'objectId' && !original) object.id = value;
    else if (['objectId', 'createdAt', 'updatedAt', 'className'].includes(key)) continue;
    else if (isOperation) whole[key] = value;
    else if (key.includes('.')) parts.push([key, value]);
    else whole[key] = Parse._decode(key, value);
  }
  object.set(whole, { ignoreValidation: true });
  for (const [key, value] of parts) setPart(Parse, object, key, value);
  return object;
}

/** A dotted key of a client is merged into the field that it is a part of. */
function setPart(Parse, object, key, value) {
  const [parent, ...path] = key.split('.');
  const current = object.get(parent);
  const merged = current !== null && typeof current === 'object' ? structuredClone(current) : {};
  let place = merged;
  for (const step of path.slice(0, -1)) {
    if (!Object.hasOwn(place, step) || place[step] === null || typeof place[step] !== 'object') place[step] = {};
    place = place[step];
  }
  Object.defineProperty(place, path.at(-1), {
    configurable: true, enumerable: true, writable: true, value: Parse._decode(path.at(-1), value),
  });
  object.set({ [parent]: merged }, { ignoreValidation: true });
}

const pendingOf = object => {
  const pending = object._getPendingOps();
  return pending[pending.length - 1];
};

/** Remembers the pending changes of an object, to tell later what a handler did to them. */
class Changes {
  constructor(object) {
    this.object = object;
    this.before = new Map();
    for (const [key, operation] of Object.entries(pendingOf(object))) {
      // A dotted key that was sent is a part of the field, which is written only if the handler changes it.
      this.before.set(key, { operation, text: isShared(operation) ? JSON.stringify(operation.toJSON()) : null });
    }
  }

  /** `changed`: what is to be written differently from what was sent; `reverted`: what is not to be written any more. */
  since() {
    const pending = pendingOf(this.object);
    const save = this.object._getSaveJSON();
    const answer = {};
    for (const [key, given] of Object.entries(save)) {
      const before = this.before.get(key);
      // JSON has no undefined: nothing is written for a new object.
      const json = given === undefined && this.object.existed() ? null : given;
      if (json === undefined) {
        delete save[key];
        continue;
      }
      const same = before && before.operation === pending[key] && (before.text === null || before.text === JSON.stringify(json));
      if (!same) (answer.changed ??= {})[key] = json;
    }
    const reverted = [...this.before.keys()].filter(key => !Object.hasOwn(save, key));
    if (reverted.length > 0) answer.reverted = reverted;
    return answer;
  }
}

/** Whether an operation holds a value that can change in place. */
function isShared(operation) {
  const value = operation._value;
  return value !== null && typeof value === 'object';
}

/** Whether a handler has changed an object that came from the store. */
const isTouched = object => object.dirty();

module.exports = { Changes, changing, difference, found, isTouched, stored };
