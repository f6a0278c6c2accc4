'use strict';
// Objects of triggers: made from JSON before the handler, compared with it afterwards.

/** An object with the state that is stored. */
function stored(Parse, className, json) {
  return Parse.Object.fromJSON({ ...json, className });
}

/** The object of a beforeSave: the stored state, if there is one, with the client's changes on it. */
function changing(Parse, className, original, changes) {
  const object = Parse.Object.fromJSON({ ...original, className });
  if (original) object._setExisted(true);
  for (const [key, value] of Object.entries(changes)) {
    if (key === 'objectId' && !original) object.id = value;
    else if (!['objectId', 'createdAt', 'updatedAt', 'className'].includes(key)) setKey(Parse, object, key, value);
  }
  return object;
}

function setKey(Parse, object, key, value) {
  const isOperation = value !== null && typeof value === 'object' && typeof value.__op === 'string';
  const [parent, ...path] = key.split('.');
  if (path.length === 0 || isOperation) {
    object.set({ [key]: isOperation ? value : Parse._decode(key, value) }, { ignoreValidation: true });
    return;
  }
  // A dotted key of a client is merged into the field that it is a part of.
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
    for (const [key, json] of Object.entries(save)) {
      const before = this.before.get(key);
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

module.exports = { Changes, changing, isTouched, stored };
