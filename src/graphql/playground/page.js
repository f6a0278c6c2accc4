// Starts GraphiQL. What is typed into the headers pane is sent with every request and kept nowhere.
(function () {
  'use strict';
  var root = document.getElementById('playground');
  var headers = JSON.stringify({ 'X-Parse-Application-Id': root.dataset.application }, null, 2);

  function post(parameters, headers, more) {
    var sent = Object.assign({ 'Content-Type': 'application/json' }, headers, more.headers);
    var body = JSON.stringify(parameters);
    return fetch(root.dataset.url, { method: 'POST', headers: sent, body: body, credentials: 'same-origin', signal: more.signal });
  }

  function read(response) {
    return response.text().then(function (text) {
      try {
        return JSON.parse(text);
      } catch (error) {
        return { errors: [{ message: 'HTTP ' + response.status + ': ' + text }] };
      }
    });
  }

  function isSubscription(parameters, options) {
    var definitions = (options && options.documentAST && options.documentAST.definitions) || [];
    return definitions.some(function (one) {
      var named = !parameters.operationName || (one.name && one.name.value === parameters.operationName);
      return one.kind === 'OperationDefinition' && one.operation === 'subscription' && named;
    });
  }

  // The events of a subscription come as server-sent events, in pieces that need not be whole.
  function follow(parameters, headers) {
    return {
      subscribe: function (observer) {
        var leaving = new AbortController();
        var rest = '';
        function take(text) {
          var events = (rest + text).split('\n\n');
          rest = events.pop();
          events.forEach(function (event) {
            var data = /^data: (.*)$/m.exec(event);
            if (data) observer.next(JSON.parse(data[1]));
          });
        }
        post(parameters, headers, { headers: { Accept: 'text/event-stream' }, signal: leaving.signal }).then(function (response) {
          if (!response.ok) return read(response).then(observer.next);
          var reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
          return reader.read().then(function more(piece) {
            if (piece.done) return undefined;
            take(piece.value);
            return reader.read().then(more);
          });
        }).then(function () { observer.complete(); }, function (error) {
          if (!leaving.signal.aborted) observer.error(error);
        });
        return { unsubscribe: function () { leaving.abort(); } };
      }
    };
  }

  function fetcher(parameters, options) {
    var headers = (options && options.headers) || {};
    if (isSubscription(parameters, options)) return follow(parameters, headers);
    return post(parameters, headers, {}).then(read);
  }

  // In memory alone: a token must not outlive the page.
  var memory = {};
  var storage = {
    getItem: function (key) { return Object.prototype.hasOwnProperty.call(memory, key) ? memory[key] : null; },
    setItem: function (key, value) { memory[key] = String(value); },
    removeItem: function (key) { delete memory[key]; },
    clear: function () { memory = {}; },
    get length() { return Object.keys(memory).length; }
  };

  ReactDOM.createRoot(root).render(React.createElement(GraphiQL, {
    fetcher: fetcher,
    storage: storage,
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
    headers: headers,
    defaultEditorToolsVisibility: 'headers',
    defaultQuery: '# Sign up or log in, then add the session token to the headers below:\n#   "X-Parse-Session-Token": "r:…"\n\nquery health {\n  health\n}\n'
  }));
})();
