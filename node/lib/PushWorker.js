'use strict';

/** Sends pushes that another process has queued. The server sends them itself. */
class PushWorker {
  constructor() {
    throw new Error('PushWorker: the server sends pushes itself, and needs no process for it');
  }
}

module.exports = { PushWorker };
