// Starts Swagger UI. Keys and tokens typed in are kept in this page's memory alone.
(function () {
  'use strict';
  var root = document.getElementById('page');
  var application = root.dataset.application;
  var url = root.dataset.mount + '/openapi.json';
  var outcome = document.getElementById('outcome');
  var masterKey = '';

  var ui = SwaggerUIBundle({
    dom_id: '#page',
    url: url,
    deepLinking: false,
    docExpansion: 'none',
    defaultModelsExpandDepth: 0,
    displayOperationId: true,
    filter: true,
    persistAuthorization: false,
    queryConfigEnabled: false,
    tryItOutEnabled: false,
    validatorUrl: null,
    requestInterceptor: function (request) {
      if (request.loadSpec && masterKey) {
        request.headers['X-Parse-Application-Id'] = application;
        request.headers['X-Parse-Master-Key'] = masterKey;
      }
      return request;
    },
    onComplete: function () {
      ui.preauthorizeApiKey('applicationId', application);
      if (masterKey) {
        outcome.textContent = ui.specSelectors.specStr().indexOf('"ParseACL"') < 0 ? 'This key was not accepted.' : '';
      }
    }
  });

  document.getElementById('own-classes').addEventListener('submit', function (event) {
    event.preventDefault();
    masterKey = document.getElementById('master-key').value;
    ui.specActions.download(url);
  });
})();
