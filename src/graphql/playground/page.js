// Starts GraphiQL. What is typed into the headers pane is sent with every request and kept nowhere.
(function () {
  'use strict';
  var root = document.getElementById('playground');
  var headers = JSON.stringify({ 'X-Parse-Application-Id': root.dataset.application }, null, 2);

  function fetcher(parameters, options) {
    var sent = Object.assign({ 'Content-Type': 'application/json' }, (options && options.headers) || {});
    return fetch(root.dataset.url, { method: 'POST', headers: sent, body: JSON.stringify(parameters), credentials: 'same-origin' })
      .then(function (response) {
        return response.text().then(function (text) {
          try {
            return JSON.parse(text);
          } catch (error) {
            return { errors: [{ message: 'HTTP ' + response.status + ': ' + text }] };
          }
        });
      });
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
