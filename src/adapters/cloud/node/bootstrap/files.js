'use strict';
// Triggers on files. The bytes are the attachment of the call and of the answer.
const { Reply } = require('./channel');
const { triggerRequest } = require('./requests');

function installFiles(Parse, run) {
  /** A Parse.File with its data, if there is some. */
  function fileOf(payload, attachment) {
    const { name, url, contentType, metadata = {}, tags = {}, directory } = payload.file;
    const file = payload.hasData
      ? new Parse.File(name, { base64: attachment.toString('base64') }, contentType, metadata, tags)
      : Parse.File.fromJSON({ __type: 'File', name, url });
    if (payload.hasData && url) file._url = url;
    if (!payload.hasData) {
      file.setMetadata?.(metadata);
      file.setTags?.(tags);
    }
    if (directory && file.setDirectory) file.setDirectory(directory);
    return file;
  }

  /** A file as the server takes it: its bytes only if they are not those that were sent. */
  async function answerOf(file, same) {
    const json = {
      name: file.name(),
      url: file.url(),
      contentType: file._source?.type,
      metadata: file.metadata?.() ?? {},
      tags: file.tags?.() ?? {},
      directory: file.directory?.(),
    };
    if (same || file.url()) return new Reply({ file: json, hasData: false });
    const data = file._data ?? file._source?.base64 ?? (file._source ? await file.getData() : undefined);
    return data === undefined
      ? new Reply({ file: json, hasData: false })
      : new Reply({ file: json, hasData: true }, Buffer.from(data, 'base64'));
  }

  /** What an error without a text says. */
  function usualText(type, payload) {
    const { name } = payload.file;
    if (type === 'beforeSave' || type === 'afterSave') return `Could not store file: ${name}.`;
    if (type === 'beforeDelete' || type === 'afterDelete') return 'Could not delete file.';
    return type === 'afterFind' && !('forceDownload' in payload) ? 'Could not get file metadata.' : `Could not find file: ${name}.`;
  }

  return async function onFile(trigger, payload, attachment) {
    const { type } = trigger;
    const finding = type === 'beforeFind' || type === 'afterFind';
    const request = triggerRequest(Parse, type, payload);
    request.file = fileOf(payload, attachment);
    if (!finding) request.fileSize = payload.fileSize;
    if (!finding && payload.stream) request.stream = true;
    // Not for metadata.
    const download = type === 'afterFind' && 'forceDownload' in payload;
    if (download) {
      request.forceDownload = payload.forceDownload;
      request.responseHeaders = payload.responseHeaders ?? {};
    }
    const sent = request.file;
    const returned = await run(trigger, request, usualText(type, payload));
    if (type === 'beforeSave') {
      const file = returned instanceof Parse.File ? returned : request.file;
      return answerOf(file, file === sent);
    }
    if (!finding) return {};
    const answer = download
      ? { forceDownload: Boolean(returned?.forceDownload ?? request.forceDownload), responseHeaders: returned?.responseHeaders ?? request.responseHeaders }
      : {};
    if (!(returned?.file instanceof Parse.File)) return answer;
    const reply = await answerOf(returned.file, false);
    return new Reply({ ...answer, ...reply.value }, reply.attachment);
  };
}

module.exports = { installFiles };
