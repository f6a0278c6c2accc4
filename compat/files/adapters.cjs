// Writes and reads files by npm's own file adapters, so that ours can be compared with them.
//
//   node adapters.cjs '{"adapter": "gridfs" | "fs" | "s3", "options": …, "write": [{"name", "length", …}], "read": ["name"]}'
//
// Prints {"read": {name: sha256 or "Error: …"}, "metadata": {name: …}} of what it read. The bytes it writes are those of `pattern`.
const { createHash } = require('node:crypto');

const task = JSON.parse(process.argv[2]);

/** The bytes the tests in Rust write, too. */
function pattern(length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at % 251) ^ ((at >> 12) & 255);
  return bytes;
}

function adapter() {
  const { options } = task;
  switch (task.adapter) {
    case 'gridfs': {
      const { GridFSBucketAdapter } = require('parse-server/lib/Adapters/Files/GridFSBucketAdapter');
      return new GridFSBucketAdapter(options.uri, {}, options.fileKey ?? undefined);
    }
    case 'fs': {
      const FileSystemAdapter = require('@parse/fs-files-adapter');
      return new FileSystemAdapter(options);
    }
    case 's3': {
      const S3Adapter = require('@parse/s3-files-adapter');
      return new S3Adapter(options);
    }
    default:
      throw new Error(`no adapter ${task.adapter}`);
  }
}

async function main() {
  const files = adapter();
  for (const { name, length, metadata, tags } of task.write ?? []) {
    await files.createFile(name, pattern(length), 'text/plain', { metadata, tags });
  }
  const answer = { read: {}, metadata: {}, location: {} };
  for (const name of task.read ?? []) {
    try {
      answer.read[name] = createHash('sha256').update(await files.getFileData(name)).digest('hex');
      if (files.getMetadata) answer.metadata[name] = (await files.getMetadata(name)).metadata;
    } catch (error) {
      answer.read[name] = `Error: ${error.message}`;
    }
    answer.location[name] = await files.getFileLocation({ mount: 'http://h/parse', applicationId: 'app' }, name);
  }
  process.stdout.write(JSON.stringify(answer));
  await files.handleShutdown?.();
}

main().then(() => process.exit(0), error => {
  console.error(error);
  process.exit(1);
});
