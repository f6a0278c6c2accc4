// An app in which organisations send documents to contacts to be signed.
require('./people');
require('./contacts');
require('./documents');
require('./templates');
require('./reports');
require('./api');
require('./jobs');
