'use strict';

// The command line and the JSON lines of a program, as in the Java ones.

const fs = require('fs');

/** Read "--name value" pairs. */
function options(defaults) {
  const given = { ...defaults };
  const words = process.argv.slice(2);
  for (let at = 0; at < words.length; at += 2) {
    given[words[at].slice(2)] = words[at + 1];
  }
  return given;
}

/** Print one line; it has left the process when this returns. */
function say(event, fields = {}) {
  fs.writeSync(1, JSON.stringify({ event, ...fields }) + '\n');
}

/** The options shared by all clients. Their log goes to standard error. */
function client(given) {
  const logger = { debug() {}, info() {}, warn: console.error, error: console.error };
  // A client that is told its name server asks no other service, but wants one.
  return { nameSrv: given.namesrv.split(';'), httpclient: {}, logger };
}

/** Run a program; its failure is a line and status 1. */
function run(main) {
  main().then(
    () => {
      say('done');
      process.exit(0);
    },
    error => {
      say('failed', { error: String(error.stack || error) });
      process.exit(1);
    }
  );
}

module.exports = { client, options, run, say };
