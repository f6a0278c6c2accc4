'use strict';
// Helpers for definitions in the option `schema`.

const CLP = {
  /** Permissions by who has them, `{'*': ['find']}`, as class-level permissions have them: by operation. */
  allow(permissions) {
    const operations = {};
    for (const [who, names] of Object.entries(permissions)) {
      for (const name of names) (operations[name] ??= {})[who] = true;
    }
    return operations;
  },
};

/** A definition with the name of its class. */
function makeSchema(className, schema) {
  return Object.assign(schema, { className });
}

module.exports = { CLP, makeSchema };
