'use strict';
// Frames: 16 bytes of header, JSON, attachment. See docs/decisions/cloud-channel.md.

const HEADER = 16;
const KIND = { CALL: 1, ANSWER: 2, FAILURE: 3, CANCEL: 4, NOTE: 5, PING: 6, PONG: 7 };
const EMPTY = Buffer.alloc(0);

/** A frame as one buffer. `json` is text, or an empty text for frames without a payload. */
function encode(kind, id, json = '', attachment = EMPTY) {
  const length = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(HEADER + length + attachment.length);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt32BE(attachment.length, 4);
  frame.writeUInt32BE(kind << 24, 8);
  frame.writeUInt32BE(id, 12);
  frame.write(json, HEADER);
  if (attachment.length > 0) attachment.copy(frame, HEADER + length);
  return frame;
}

/** Cuts a stream of bytes into frames. */
class Decoder {
  constructor(onFrame) {
    this.onFrame = onFrame;
    this.chunks = [];
    this.length = 0;
    this.needed = HEADER;
  }

  push(chunk) {
    this.chunks.push(chunk);
    this.length += chunk.length;
    if (this.length < this.needed) return;
    let buffer = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks, this.length);
    while (buffer.length >= HEADER) {
      const json = buffer.readUInt32BE(0);
      const end = HEADER + json + buffer.readUInt32BE(4);
      if (buffer.length < end) {
        this.needed = end;
        break;
      }
      const frame = {
        kind: buffer[8],
        id: buffer.readUInt32BE(12),
        json: json === 0 ? '' : buffer.toString('utf8', HEADER, HEADER + json),
        attachment: end === HEADER + json ? EMPTY : buffer.subarray(HEADER + json, end),
      };
      buffer = buffer.subarray(end);
      this.needed = HEADER;
      this.onFrame(frame);
    }
    this.chunks = buffer.length > 0 ? [buffer] : [];
    this.length = buffer.length;
  }
}

module.exports = { Decoder, EMPTY, KIND, encode };
