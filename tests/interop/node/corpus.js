'use strict';

// Messages that any language can compute again; the rules stand in corpus.py, and must
// agree.

const crypto = require('crypto');
const { Message } = require('ali-ons');

const TAGS = ['TagA', 'TagB', 'TagC'];
const SHARDS = 8;

/** The SHA-256 of text or bytes. */
function sha256(data) {
  return crypto.createHash('sha256').update(data).digest();
}

function size(i, random) {
  if (i % 997 === 13) {
    return 100000 + random % 200000;
  }
  if (i % 50 === 7) {
    return 2000 + random % 18000;
  }
  return 1 + random % 600;
}

function body(seed, i) {
  let block = sha256(`${seed}:${i}`);
  const wanted = size(i, block.readUIntBE(0, 3));
  const blocks = [];
  for (let length = 0; length < wanted; length += block.length) {
    blocks.push(block);
    block = i % 2 === 1 ? sha256(block) : block;
  }
  return Buffer.concat(blocks).subarray(0, wanted);
}

/** Message i of a seed. */
function message(topic, seed, i) {
  const made = new Message(topic, body(seed, i));
  if (i % 10 === 9) {
    // Left as it is, the client would send the text "null" as the tag.
    delete made.properties.TAGS;
  } else {
    made.tags = TAGS[i % TAGS.length];
  }
  made.keys = i % 5 === 0 ? [`key-${seed}-${i}`, `even-${i}`] : [`key-${seed}-${i}`];
  made.properties.i = String(i);
  made.properties.seed = seed;
  made.properties.shard = String(i % SHARDS);
  if (i % 4 === 0) {
    made.properties.text = `Größe 消息 ${i}`;
  }
  return made;
}

module.exports = { message, sha256 };
